//! x
use serde_json::json;
#[tokio::test]
async fn peek() {
    let e = super::run("code.extract", json!({"path":"examples/code_review/sample.py"})).await.unwrap();
    for f in e["functions"].as_array().unwrap() { println!("{} {} {}", f["name"], f["line"], f["lines"]); }
    let c = super::run("code.complexity", json!({"functions": e["functions"]})).await.unwrap();
    for f in c["functions"].as_array().unwrap() { println!("{f}"); }
    let d = super::run("code.detect", json!({"functions": e["functions"], "files": e["files"]})).await.unwrap();
    for f in d["issues"].as_array().unwrap() { println!("{} {} {} {}", f["id"], f["severity"], f["points"], f["message"]); }
    let mut addressed = vec![];
    for round in 0..5 {
        let s = super::run("code.score", json!({"files": e["files"], "issues": d["issues"], "addressed": addressed})).await.unwrap();
        println!("{round} {} {} {} {}", s["score"], s["grade"], s["points"], s["density"]);
        let g = super::run("code.suggest", json!({"issues": d["issues"], "addressed": addressed, "round": round+1, "limit": 6})).await.unwrap();
        addressed.extend(g["suggestions"].as_array().unwrap().clone());
    }
}

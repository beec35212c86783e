#[test]
fn x() {
    let p = "../../docs/flows.md";
    let t = std::fs::read_to_string(p).unwrap();
    let mut out = String::new();
    let mut parts = t.split("```yaml\n");
    out += parts.next().unwrap();
    for part in parts {
        let (y, rest) = part.split_once("```").unwrap();
        out += &format!("```yaml\n{}```{rest}", runstone_model::flow::format(y).map_err(|p| p.render()).unwrap());
    }
    std::fs::write(p, out).unwrap();
}

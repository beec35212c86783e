//! `/docs`: one page made of the table of routes. It needs no script and nothing from elsewhere, so
//! it works offline and under the strictest content policy.
use std::fmt::Write as _;

use runstone_api::{Code, Operation};

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}\
h1,h2{line-height:1.2}code,pre{font:14px/1.45 ui-monospace,monospace}pre{background:#f4f4f4;padding:.75rem;overflow:auto}\
details{border-top:1px solid #ddd;padding:.5rem 0}summary{cursor:pointer}.m{display:inline-block;width:4.5rem;font-weight:600}\
.r{float:right;color:#595959}table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:.25rem .5rem;border-bottom:1px solid #ddd}\
@media(prefers-color-scheme:dark){body{color:#eee;background:#161616}pre{background:#222}details,td,th{border-color:#444}.r{color:#aaa}a{color:#8cf}}";

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// The page.
pub(crate) fn page(version: &str, operations: &[Operation]) -> String {
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>Runstone API</title>\
         <style>{STYLE}</style></head><body><h1>Runstone API {version}</h1>\
         <p>The same as data: <a href=\"/openapi.json\">openapi.json</a>. Errors are \
         <code>application/problem+json</code> with a stable <code>code</code>; the codes stand at \
         the end. The word on the right is the role that an operation takes.</p>"
    );
    let mut area = "";
    for operation in operations {
        if operation.area() != area {
            area = operation.area();
            let _ = write!(page, "<h2 id=\"{area}\">{area}</h2>");
        }
        describe(&mut page, operation);
    }
    page.push_str(
        "<h2 id=\"codes\">error codes</h2><table><tr><th>code<th>status<th>what to do</tr>",
    );
    for code in Code::ALL {
        let (name, status, mend) = (code.name(), code.status(), escaped(code.mend()));
        let _ = write!(
            page,
            "<tr><td><code>{name}</code><td>{status}<td>{mend}</tr>"
        );
    }
    page.push_str("</table></body></html>");
    page
}

fn describe(page: &mut String, operation: &Operation) {
    let Operation {
        method,
        path,
        summary,
        ..
    } = operation;
    let role = operation.access.name();
    let _ = write!(
        page,
        "<details id=\"{}\"><summary><span class=\"m\">{method}</span><code>{path}</code>\
         <span class=\"r\">{role}</span><br>{}</summary>",
        operation.id,
        escaped(summary)
    );
    if !operation.description.is_empty() {
        let _ = write!(page, "<p>{}</p>", escaped(operation.description));
    }
    if !operation.query.is_empty() || !operation.headers.is_empty() {
        page.push_str("<table>");
        for parameter in &operation.query {
            let name = escaped(parameter["name"].as_str().unwrap_or_default());
            let text = escaped(parameter["description"].as_str().unwrap_or_default());
            let _ = write!(page, "<tr><td><code>?{name}</code><td>{text}</tr>");
        }
        for (name, _, text) in &operation.headers {
            let _ = write!(
                page,
                "<tr><td><code>{name}</code><td>{}</tr>",
                escaped(text)
            );
        }
        page.push_str("</table>");
    }
    if let Some(body) = &operation.body {
        let _ = write!(page, "<p>Body: <code>{}</code></p>", body.schema);
        if let Some(example) = &body.example {
            let text = serde_json::to_string_pretty(example).unwrap_or_default();
            let _ = write!(page, "<pre>{}</pre>", escaped(&text));
        }
    }
    page.push_str("<ul>");
    for answer in &operation.answers {
        let text = escaped(answer.description);
        let _ = write!(page, "<li><code>{}</code> {text}</li>", answer.status);
    }
    page.push_str("</ul></details>");
}

//! Flow files: read within the size limit, parsed against the node kinds there are.
use std::{fs::File, io::Read as _, path::Path};

use runstone_engine::Registry;
use runstone_model::{flow::Flow, limits::MAX_FLOW_BYTES};

use crate::trouble::{BadFlow, Trouble};

/// A flow and the text it was read from.
pub(crate) struct ReadFlow {
    /// The flow.
    pub(crate) flow: Flow,
    /// The file's text.
    pub(crate) text: String,
}

/// The text of a flow file.
pub(crate) fn text(path: &Path) -> Result<String, Trouble> {
    let place = path.display().to_string();
    let bytes = bytes(path, MAX_FLOW_BYTES, "a flow file").map_err(|mut trouble| {
        if trouble.mend.is_empty() {
            "check the path; FLOW is a file, stored flows are not looked up by name"
                .clone_into(&mut trouble.mend);
        }
        trouble
    })?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Trouble::at(place, format!("not a text file: byte {at} is not UTF-8"))
            .mend("a flow file is YAML or JSON in UTF-8")
    })
}

/// The flow in a file.
pub(crate) fn flow(path: &Path, registry: &Registry) -> anyhow::Result<ReadFlow> {
    let text = text(path)?;
    match Flow::parse(&text, registry) {
        Ok(flow) => Ok(ReadFlow { flow, text }),
        Err(problems) => Err(BadFlow {
            file: path.display().to_string(),
            text,
            problems,
        }
        .into()),
    }
}

/// What a file holds, at most `limit` bytes; never reads much more than that.
pub(super) fn bytes(path: &Path, limit: usize, what: &str) -> Result<Vec<u8>, Trouble> {
    let place = path.display().to_string();
    if path.is_dir() {
        return Err(Trouble::at(place, format!("is a folder, not {what}")));
    }
    let failed = |error: std::io::Error| Trouble::at(place.clone(), reason(&error));
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let file = File::open(path).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    if length >= most {
        return Err(too_large(&place, limit));
    }
    // What is no file has no length, and a file may still grow.
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0) + 1);
    file.take(most).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > limit {
        return Err(too_large(&place, limit));
    }
    Ok(bytes)
}

/// The refusal of something over its limit.
pub(super) fn too_large(place: &str, limit: usize) -> Trouble {
    Trouble::at(place, format!("larger than the limit of {limit} bytes"))
        .mend("keep large data in a file or a database and pass its address")
}

/// What the system said, without its error numbers where there is a plainer word.
fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "may not be read (permission denied)".to_owned(),
        _ => format!("cannot be read: {error}"),
    }
}

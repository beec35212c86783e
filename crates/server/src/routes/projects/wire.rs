//! A project as it travels, written straight from its row: lists of projects are asked for all the
//! time. What is written is an `api::projects::Project`; a test holds the two together.
use runstone_api::projects::Quotas;
use runstone_store::ProjectRecord;
use serde::{Serialize, Serializer, de::DeserializeOwned, ser::SerializeStruct as _};
use serde_json::value::RawValue;

/// A row of projects that serializes as a project.
pub(super) struct Wire<'a>(pub(super) &'a ProjectRecord);

/// Stored JSON, or what stands for none.
fn from_json<T: Default + DeserializeOwned>(text: Option<&str>) -> T {
    text.and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default()
}

/// What a project may use.
fn quotas(record: &ProjectRecord) -> Quotas {
    from_json(record.quotas.as_deref())
}

/// The settings as they are stored; they were checked when they came.
fn settings(record: &ProjectRecord) -> &RawValue {
    let stored = record.settings.as_deref();
    let raw = stored.and_then(|text| serde_json::from_str::<&RawValue>(text).ok());
    let object = raw.filter(|raw| raw.get().starts_with('{'));
    object.unwrap_or_else(|| serde_json::from_str("{}").unwrap_or(RawValue::NULL))
}

impl Serialize for Wire<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let record = self.0;
        let updated_at = record.updated_at.max(record.created_at);
        let mut project = serializer.serialize_struct("Project", 9)?;
        project.serialize_field("id", &record.id.0)?;
        project.serialize_field("name", &record.name)?;
        project.serialize_field("description", &record.description)?;
        project.serialize_field("version", &record.version)?;
        project.serialize_field("settings", settings(record))?;
        project.serialize_field("quotas", &quotas(record))?;
        project.serialize_field("created_at", &record.created_at.rfc3339())?;
        project.serialize_field("updated_at", &updated_at.rfc3339())?;
        project.serialize_field("deleted_at", &record.deleted_at.map(|at| at.rfc3339()))?;
        project.end()
    }
}

#[cfg(test)]
mod tests {
    use runstone_api::projects::Project;
    use runstone_model::{ids::ProjectId, time::Timestamp};

    use super::*;

    fn record(settings: Option<&str>, quotas: Option<&str>) -> ProjectRecord {
        ProjectRecord {
            id: ProjectId::DEFAULT,
            name: "a \"name\"\n".to_owned(),
            description: None,
            version: 3,
            settings: settings.map(str::to_owned),
            quotas: quotas.map(str::to_owned),
            created_at: Timestamp(1_785_326_401_000_007),
            updated_at: Timestamp(0),
            deleted_at: Some(Timestamp(1_785_326_402_000_000)),
        }
    }

    #[test]
    fn what_is_written_is_a_project() {
        for (settings, quotas) in [
            (None, None),
            (
                Some(r#"{"b":[1,2.5,null],"a":"x"}"#),
                Some(r#"{"flows":7}"#),
            ),
            (Some("[1]"), Some("nothing")),
            (Some("{broken"), Some(r#"{"active_runs":1,"flows":2}"#)),
        ] {
            let written = serde_json::to_string(&Wire(&record(settings, quotas)));
            let written = written.unwrap_or_default();
            let read: Result<Project, _> = serde_json::from_str(&written);
            let Ok(read) = read else {
                panic!("{written}");
            };
            let again = serde_json::to_value(&read).ok();
            assert_eq!(again, serde_json::from_str(&written).ok(), "{written}");
            assert_eq!(
                read.settings.len(),
                if written.contains("2.5") { 2 } else { 0 }
            );
            assert_eq!(read.created_at, read.updated_at, "never before it was made");
        }
    }
}

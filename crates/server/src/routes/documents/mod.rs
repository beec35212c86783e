//! Documents: every write is a new version, made by whoever has read the one before.
mod wire;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderName, StatusCode},
    response::{IntoResponse as _, Response},
};
use runstone_api::{
    Access::AtLeast,
    BASE, Code, FieldError, List,
    Role::{Editor, Owner, Viewer},
    documents::{
        CompareVersions, Document, DocumentDiff, DocumentVersion, ListDocuments, NewDocument,
        RollBack, WriteDocument,
    },
    list::{DocumentKey, VersionKey},
};
use runstone_model::{diff, ids::DocumentId, time::Timestamp};
use runstone_store::document::{
    Document as Found, DocumentFilter, DocumentVersion as Stored, Draft, Written,
};
use serde_json::json;

use super::once::Once;
use super::versioned::{IF_MATCH, made, stale, tagged};
use crate::{
    Answer, App, Body, Fault, Page, Paging, Params, Query, Route, Scope, counted, etag_with,
    if_match_small, invalid_body,
};

/// Characters of a required section's heading.
const MAX_HEADING_CHARS: usize = 300;

pub(super) fn routes() -> Vec<Route> {
    let of = |path: &str| format!("/projects/{{project}}/documents{path}");
    let new = json!({
        "type": "plan",
        "language": "en",
        "title": "Moving house",
        "body": "# Moving house\n\nWe move on Monday.\n",
        "required_sections": ["Moving house"],
    });
    let write = json!({
        "body": "# Moving house\n\nWe move on Tuesday.\n",
        "note": "The van comes a day later",
    });
    let mut routes = vec![
        Route::get(&of(""), "documents.list", AtLeast(Viewer), list)
            .summary("The documents of a project, newest first")
            .query::<List<DocumentKey, ListDocuments>>()
            .page::<Document>(),
        Route::post(&of(""), "documents.create", AtLeast(Editor), create)
            .summary("Store a document with its first version")
            .describe("The scores are computed by the server; docs/documents.md has the formulas.")
            .once()
            .body::<NewDocument>(new)
            .answers::<Document>(201, "It is stored; `Location` and `ETag` are given."),
        Route::get(&of("/{document}"), "documents.get", AtLeast(Viewer), get)
            .summary("One document, without its text")
            .etag()
            .answers::<Document>(200, "The document, with its `ETag`."),
        Route::put(&of("/{document}"), "documents.put", AtLeast(Editor), put)
            .summary("Store a new version of a document")
            .header("If-Match", true, IF_MATCH)
            .body::<WriteDocument>(write)
            .answers::<Document>(200, "The document with its new version and `ETag`."),
        Route::delete(
            &of("/{document}"),
            "documents.delete",
            AtLeast(Editor),
            delete,
        )
        .summary("Delete a document softly: it can be restored until it is purged")
        .header("If-Match", true, IF_MATCH)
        .empty(204, "It is deleted."),
        Route::post(
            &of("/{document}:restore"),
            "documents.restore",
            AtLeast(Editor),
            restore,
        )
        .summary("Take back a deletion")
        .answers::<Document>(200, "The document as it was."),
        Route::post(
            &of("/{document}:purge"),
            "documents.purge",
            AtLeast(Owner),
            purge,
        )
        .summary("Remove a deleted document for good, with all its versions")
        .empty(204, "It is gone."),
    ];
    routes.extend(version_routes(&of));
    routes
}

fn version_routes(of: &dyn Fn(&str) -> String) -> Vec<Route> {
    vec![
        Route::get(
            &of("/{document}/latest"),
            "documents.latest",
            AtLeast(Viewer),
            latest,
        )
        .summary("The newest version with its text and scores")
        .etag()
        .answers::<DocumentVersion>(200, "The version, with the document's `ETag`."),
        Route::get(
            &of("/{document}/versions"),
            "documents.versions",
            AtLeast(Viewer),
            versions,
        )
        .summary("All versions without their texts, newest first")
        .query::<List<VersionKey>>()
        .page::<DocumentVersion>(),
        Route::get(
            &of("/{document}/versions/{version}"),
            "documents.version",
            AtLeast(Viewer),
            version,
        )
        .summary("One version with its text and scores")
        .answers::<DocumentVersion>(200, "The version."),
        Route::get(
            &of("/{document}/diff"),
            "documents.diff",
            AtLeast(Viewer),
            compare,
        )
        .summary("What changed between two versions, line by line")
        .query::<CompareVersions>()
        .answers::<DocumentDiff>(200, "The difference, as data and in the unified format."),
        Route::post(
            &of("/{document}:rollback"),
            "documents.rollback",
            AtLeast(Editor),
            rollback,
        )
        .summary("Give a document the text of an earlier version, as a new version")
        .header("If-Match", true, IF_MATCH)
        .body::<RollBack>(json!({ "to": 1, "note": "Monday after all" }))
        .answers::<Document>(200, "The document with its new version and `ETag`."),
    ]
}

/// Deletion and restoring change a document without another version.
fn tag(document: &Found) -> (HeaderName, String) {
    etag_with(document.version.into(), document.updated_at.0)
}

fn document_id(params: &Params) -> Answer<DocumentId> {
    params.uuid("document").map(DocumentId)
}

/// The document that may be read: a deleted one is not found.
async fn present(app: &App, scope: &Scope, params: &Params) -> Answer<Found> {
    let found = app.store.document(scope.id(), document_id(params)?).await?;
    found
        .filter(|document| document.deleted_at.is_none())
        .ok_or_else(|| Fault::not_found("document"))
}

async fn stored(app: &App, scope: &Scope, id: DocumentId, number: u32) -> Answer<Stored> {
    let found = app.store.document_version(scope.id(), id, number).await?;
    found.ok_or_else(|| Fault::not_found("version"))
}

fn check_sections(sections: &[String]) -> Answer<()> {
    let wrong =
        |heading: &String| heading.trim().is_empty() || heading.chars().count() > MAX_HEADING_CHARS;
    let errors: Vec<FieldError> = sections
        .iter()
        .enumerate()
        .filter(|(_, heading)| wrong(heading))
        .map(|(at, _)| {
            let detail = format!("must have 1 to {MAX_HEADING_CHARS} characters");
            FieldError::new(format!("/required_sections/{at}"), detail)
        })
        .collect();
    if errors.is_empty() {
        Ok(())
    } else {
        Err(invalid_body(errors))
    }
}

/// What a write that was not done is answered with.
fn done(written: Written) -> Answer {
    match written {
        Written::Done(document) => Ok(tagged(tag(&document), wire::document(&document))),
        Written::Missing | Written::Deleted => Err(Fault::not_found("document")),
        Written::Stale { current } => Err(stale(current.into())),
        Written::NoSuchVersion => Err(invalid_body(vec![FieldError::new(
            "/to",
            "there is no version of that number",
        )])),
    }
}

/// The key of a document in a list by its last change.
fn by_update(text: &str) -> Option<(Timestamp, DocumentId)> {
    let (at, id) = text.split_once(' ')?;
    Some((Timestamp(at.parse().ok()?), id.parse().ok()?))
}

async fn list(
    State(app): State<App>,
    scope: Scope,
    Query(query): Query<List<DocumentKey, ListDocuments>>,
) -> Answer<Page<Document>> {
    let paging = Paging::read("documents", &query)?;
    let wanted = query.filter;
    let filter = DocumentFilter {
        kind: wanted.kind,
        language: wanted.language,
        min_overall_tenths: wanted.min_overall.unwrap_or(0) * 10,
        phrase: wanted.q,
        deleted: wanted.deleted.unwrap_or(false),
    };
    let (store, project) = (&app.store, scope.id());
    let page = match paging.sort.key {
        DocumentKey::CreatedAt => {
            let found = store.documents(project, &filter, paging.walk()?).await?;
            let key = |document: &Found| document.id.to_string();
            paging.sifted(found, key, DocumentId::to_string)
        }
        DocumentKey::UpdatedAt => {
            let walk = paging.walk_by(by_update)?;
            let found = store.documents_by_update(project, &filter, walk).await?;
            let key = |(at, id): &(Timestamp, DocumentId)| format!("{} {id}", at.0);
            let key_of = |document: &Found| key(&(document.updated_at, document.id));
            paging.sifted(found, key_of, key)
        }
    };
    let total = match query.total {
        true => Some(counted(store.count_documents(project, &filter).await?)?),
        false => None,
    };
    Ok(page.map(|document| wire::document(&document)).total(total))
}

async fn create(
    State(app): State<App>,
    scope: Scope,
    headers: HeaderMap,
    Body(new): Body<NewDocument>,
) -> Answer {
    check_sections(new.required_sections.as_deref().unwrap_or_default())?;
    let once = Once::of(&app, scope.id(), &headers, "documents.create", &new).await?;
    let draft = Draft {
        kind: new.kind,
        language: new.language,
        title: new.title,
        body: new.body,
        author: new.author,
        note: new.note,
        required: new.required_sections.unwrap_or_default(),
    };
    let (store, project, now) = (&app.store, scope.id(), app.now());
    let there = |id| async move { Ok(store.document(project, DocumentId(id)).await?) };
    let make = |id| async move {
        let made = store.create_document(project, DocumentId(id), draft, now);
        Ok(made.await?)
    };
    let document = once.make(there, make).await?;
    let location = format!("{BASE}/projects/{project}/documents/{}", document.id);
    let body = wire::document(&document);
    Ok(made(
        StatusCode::CREATED,
        &location,
        Some(tag(&document)),
        body,
    ))
}

async fn get(State(app): State<App>, scope: Scope, params: Params) -> Answer {
    let document = present(&app, &scope, &params).await?;
    Ok(tagged(tag(&document), wire::document(&document)))
}

async fn put(
    State(app): State<App>,
    scope: Scope,
    params: Params,
    headers: HeaderMap,
    Body(write): Body<WriteDocument>,
) -> Answer {
    let expected = if_match_small(&headers)?;
    let before = present(&app, &scope, &params).await?;
    if before.version != expected {
        return Err(stale(before.version.into()));
    }
    let required = match write.required_sections {
        Some(required) => {
            check_sections(&required)?;
            required
        }
        None => {
            stored(&app, &scope, before.id, before.version)
                .await?
                .required
        }
    };
    let draft = Draft {
        kind: write.kind.unwrap_or(before.kind),
        language: write.language.unwrap_or(before.language),
        title: write.title.unwrap_or(before.title),
        body: write.body,
        author: write.author,
        note: write.note,
        required,
    };
    let now = app.now();
    done(
        app.store
            .write_document(scope.id(), before.id, expected, draft, now)
            .await?,
    )
}

async fn delete(
    State(app): State<App>,
    scope: Scope,
    params: Params,
    headers: HeaderMap,
) -> Answer {
    let (id, expected) = (document_id(&params)?, if_match_small(&headers)?);
    let deleted = app
        .store
        .delete_document(scope.id(), id, expected, app.now())
        .await?;
    done(deleted).map(|_| StatusCode::NO_CONTENT.into_response())
}

async fn restore(State(app): State<App>, scope: Scope, params: Params) -> Answer {
    let id = document_id(&params)?;
    let document = match app
        .store
        .restore_document(scope.id(), id, app.now())
        .await?
    {
        Some(document) => document,
        None => present(&app, &scope, &params).await?,
    };
    Ok(tagged(tag(&document), wire::document(&document)))
}

async fn purge(State(app): State<App>, scope: Scope, params: Params) -> Answer<StatusCode> {
    if app
        .store
        .purge_document(scope.id(), document_id(&params)?)
        .await?
    {
        return Ok(StatusCode::NO_CONTENT);
    }
    present(&app, &scope, &params).await?;
    let detail = "only a deleted document can be purged; delete it first";
    Err(Fault::new(Code::Conflict, detail))
}

async fn latest(State(app): State<App>, scope: Scope, params: Params) -> Answer {
    let document = present(&app, &scope, &params).await?;
    let newest = stored(&app, &scope, document.id, document.version).await?;
    Ok(tagged(tag(&document), wire::version(newest)?))
}

async fn versions(
    State(app): State<App>,
    scope: Scope,
    params: Params,
    Query(query): Query<List<VersionKey>>,
) -> Answer<Page<DocumentVersion>> {
    let paging = Paging::read("documents.versions", &query)?;
    let document = present(&app, &scope, &params).await?;
    let (store, project, walk) = (&app.store, scope.id(), paging.walk()?);
    let found = store.document_versions(project, document.id, &walk).await?;
    let found: Answer<Vec<_>> = found.into_iter().map(wire::version).collect();
    let page = paging.page(found?, |version| version.version.to_string());
    let total = match query.total {
        true => Some(store.count_document_versions(project, document.id).await?),
        false => None,
    };
    Ok(page.total(total))
}

async fn version(
    State(app): State<App>,
    scope: Scope,
    params: Params,
) -> Answer<Json<DocumentVersion>> {
    let number = params.read::<u32>("version")?;
    let document = present(&app, &scope, &params).await?;
    wire::version(stored(&app, &scope, document.id, number).await?).map(Json)
}

async fn compare(
    State(app): State<App>,
    scope: Scope,
    params: Params,
    Query(query): Query<CompareVersions>,
) -> Answer<Response> {
    let document = present(&app, &scope, &params).await?;
    let to = query.to.unwrap_or(document.version);
    let from = query.from.unwrap_or_else(|| to.saturating_sub(1));
    let old = match from {
        // Before the first version there was nothing.
        0 => String::new(),
        from => {
            let old = stored(&app, &scope, document.id, from).await?;
            old.body.unwrap_or_default()
        }
    };
    let new = stored(&app, &scope, document.id, to).await?;
    let context = query.context.map_or(diff::CONTEXT_LINES, |lines| {
        usize::try_from(lines).unwrap_or(diff::CONTEXT_LINES)
    });
    let compared = tokio::task::spawn_blocking(move || {
        let new = new.body.unwrap_or_default();
        wire::difference(&diff::compare(&old, &new, context), from, to)
    });
    let compared = compared
        .await
        .map_err(|error| Fault::internal(error.to_string()))?;
    Ok(Json(compared?).into_response())
}

async fn rollback(
    State(app): State<App>,
    scope: Scope,
    params: Params,
    headers: HeaderMap,
    Body(back): Body<RollBack>,
) -> Answer {
    let expected = if_match_small(&headers)?;
    let document = present(&app, &scope, &params).await?;
    let by = (back.author, back.note);
    let written = app
        .store
        .rollback_document(scope.id(), document.id, expected, back.to, by, app.now())
        .await?;
    done(written)
}

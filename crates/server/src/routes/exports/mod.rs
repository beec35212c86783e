//! Exports: asked for, built in the background by any server, downloaded in whole or in part.
mod download;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use runstone_api::{
    Access::AtLeast,
    BASE, Code, List,
    Role::{Editor, Viewer},
    exports::{Export, NewExport},
    list::NewestFirst,
};
use runstone_model::{ids::ExportId, time::Timestamp};
use runstone_store::export::{Export as Stored, Selection};
use serde_json::json;

use super::{once::Once, versioned::made};
use crate::{Answer, App, Body, Fault, Page, Paging, Params, Query, Route, Scope};

pub(super) fn routes() -> Vec<Route> {
    let of = |path: &str| format!("/projects/{{project}}/exports{path}");
    vec![
        Route::get(&of(""), "exports.list", AtLeast(Viewer), list)
            .summary("The exports of a project, newest first")
            .query::<List<NewestFirst>>()
            .page::<Export>(),
        Route::post(&of(""), "exports.create", AtLeast(Editor), create)
            .summary("Ask for an archive of the project's documents")
            .describe("It is built in the background; read it again until its status is `ready`.")
            .once()
            .body::<NewExport>(json!({ "type": "plan" }))
            .answers::<Export>(202, "It is going to be built; `Location` is given."),
        Route::get(&of("/{export}"), "exports.get", AtLeast(Viewer), get)
            .summary("One export")
            .answers::<Export>(200, "How it stands."),
        Route::delete(&of("/{export}"), "exports.delete", AtLeast(Editor), delete)
            .summary("Remove an export with its archive")
            .empty(204, "It is gone."),
        Route::get(
            &of("/{export}/download"),
            "exports.download",
            AtLeast(Viewer),
            download::download,
        )
        .summary("The archive, or a part of it")
        .header("Range", false, "One range of bytes, as in `bytes=0-1023`.")
        .etag()
        .fails(&[Code::Conflict, Code::RangeNotSatisfiable])
        .media(200, "application/zip", "The whole archive.")
        .media(206, "application/zip", "The part that was asked for."),
    ]
}

async fn present(app: &App, scope: &Scope, params: &Params) -> Answer<Stored> {
    let id = ExportId(params.uuid("export")?);
    let found = app.store.export(scope.id(), id).await?;
    found.ok_or_else(|| Fault::not_found("export"))
}

fn wire(stored: Stored) -> Export {
    Export {
        id: stored.id.0,
        status: stored.status.name().to_owned(),
        kind: stored.selection.kind,
        language: stored.selection.language,
        documents: stored.documents,
        bytes: stored.bytes,
        sha256: stored.sha256,
        download_count: stored.download_count,
        created_at: stored.created_at.rfc3339(),
        finished_at: stored.finished_at.map(Timestamp::rfc3339),
        expires_at: stored.expires_at.map(Timestamp::rfc3339),
        error: stored.error,
    }
}

async fn list(
    State(app): State<App>,
    scope: Scope,
    Query(query): Query<List<NewestFirst>>,
) -> Answer<Page<Export>> {
    let paging = Paging::read("exports", &query)?;
    let found = app.store.exports(scope.id(), &paging.walk()?).await?;
    let page = paging.page(found, |export| export.id.to_string());
    let total = match query.total {
        true => Some(app.store.count_exports(scope.id()).await?),
        false => None,
    };
    Ok(page.map(wire).total(total))
}

async fn create(
    State(app): State<App>,
    scope: Scope,
    headers: HeaderMap,
    Body(new): Body<NewExport>,
) -> Answer {
    let once = Once::of(&app, scope.id(), &headers, "exports.create", &new).await?;
    let selection = Selection {
        kind: new.kind,
        language: new.language,
    };
    let (store, project, now) = (&app.store, scope.id(), app.now());
    let there = |id| async move { Ok(store.export(project, ExportId(id)).await?) };
    let make = |id| async move {
        let id = ExportId(id);
        store.create_export(project, id, &selection, now).await?;
        let found = store.export(project, id).await?;
        found.ok_or_else(|| Fault::not_found("export"))
    };
    let export = once.make(there, make).await?;
    let location = format!("{BASE}/projects/{project}/exports/{}", export.id);
    Ok(made(StatusCode::ACCEPTED, &location, None, wire(export)))
}

async fn get(State(app): State<App>, scope: Scope, params: Params) -> Answer<Json<Export>> {
    Ok(Json(wire(present(&app, &scope, &params).await?)))
}

async fn delete(State(app): State<App>, scope: Scope, params: Params) -> Answer<StatusCode> {
    let id = ExportId(params.uuid("export")?);
    if app.store.delete_export(scope.id(), id).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Fault::not_found("export"))
    }
}

//! API keys: of a project by its owners, of the whole server by admins.
use axum::{Json, extract::State, http::StatusCode, response::IntoResponse as _};
use runstone_api::{
    Access::AtLeast,
    Code, FieldError, List,
    Role::{self, Admin, Owner},
    keys::{CreateKey, Key, NewSecret, RotateKey},
    list::OldestFirst,
};
use runstone_model::ids::ProjectId;
use runstone_store::{KeyFilter, KeyRecord};
use serde_json::json;
use std::time::Duration;

use crate::{
    Answer, App, Body, Fault, Page, Paging, Params, Query, Route, Scope, Secret, invalid_body,
};

pub(super) fn routes() -> Vec<Route> {
    let example = json!({ "name": "ci", "role": "editor", "expires_in_s": 7_776_000 });
    let rotation = json!({ "keep_old_s": 3600 });
    let of = |path: &str| format!("/projects/{{project}}{path}");
    vec![
        Route::get(&of("/keys"), "keys.list_project", AtLeast(Owner), list_own)
            .summary("The keys of a project, oldest first")
            .query::<List<OldestFirst>>()
            .page::<Key>(),
        Route::post(
            &of("/keys"),
            "keys.create_project",
            AtLeast(Owner),
            create_own,
        )
        .summary("Make a key for a project; its secret is shown this once")
        .body::<CreateKey>(example.clone())
        .answers::<NewSecret>(201, "The key with its secret."),
        Route::post(
            &of("/keys/{key}:rotate"),
            "keys.rotate_project",
            AtLeast(Owner),
            rotate_own,
        )
        .summary("Give a project's key a new secret")
        .body::<RotateKey>(rotation.clone())
        .answers::<NewSecret>(200, "The key with its new secret."),
        Route::delete(
            &of("/keys/{key}"),
            "keys.revoke_project",
            AtLeast(Owner),
            revoke_own,
        )
        .summary("Refuse a project's key from now on")
        .empty(204, "It is refused."),
        Route::get("/keys", "keys.list", AtLeast(Admin), list)
            .summary("The keys for the whole server, oldest first")
            .query::<List<OldestFirst>>()
            .page::<Key>(),
        Route::post("/keys", "keys.create", AtLeast(Admin), create)
            .summary("Make a key for the whole server; its secret is shown this once")
            .body::<CreateKey>(example)
            .answers::<NewSecret>(201, "The key with its secret."),
        Route::post("/keys/{key}:rotate", "keys.rotate", AtLeast(Admin), rotate)
            .summary("Give a server's key a new secret")
            .body::<RotateKey>(rotation)
            .answers::<NewSecret>(200, "The key with its new secret."),
        Route::delete("/keys/{key}", "keys.revoke", AtLeast(Admin), revoke)
            .summary("Refuse a server's key from now on")
            .empty(204, "It is refused."),
    ]
}

fn wire(record: &KeyRecord) -> Key {
    Key {
        id: record.id,
        name: record.name.clone(),
        project: record.project.map(|project| project.0),
        role: Role::from_name(&record.role).unwrap_or(Role::Viewer),
        created_at: record.created_at.rfc3339(),
        expires_at: record.expires_at.map(|at| at.rfc3339()),
        revoked_at: record.revoked_at.map(|at| at.rfc3339()),
    }
}

async fn page(
    app: &App,
    project: Option<ProjectId>,
    query: &List<OldestFirst>,
) -> Answer<Page<Key>> {
    let paging = Paging::read("keys", query)?;
    let filter = project.map_or(KeyFilter::Server, KeyFilter::Project);
    let found = app.store.keys(filter, &paging.walk()?).await?;
    let page = paging.page(found, |key| key.id.to_string());
    let total = match query.total {
        true => Some(app.store.count_keys(project).await?),
        false => None,
    };
    Ok(page.map(|key| wire(&key)).total(total))
}

async fn make(app: &App, project: Option<ProjectId>, new: CreateKey) -> Answer {
    if project.is_some() && new.role == Admin {
        let detail = "a project's key is a viewer, an editor or an owner";
        return Err(invalid_body(vec![FieldError::new("/role", detail)]));
    }
    let (id, now) = (app.new_id(), app.now());
    let secret = Secret::make(id);
    let life = |seconds: u32| Duration::from_secs(seconds.into());
    let record = KeyRecord {
        id,
        project,
        role: new.role.name().to_owned(),
        name: new.name,
        secret_hash: secret.hash(),
        old_hash: None,
        old_until: None,
        created_at: now,
        expires_at: new.expires_in_s.map(|seconds| now.plus(life(seconds))),
        revoked_at: None,
    };
    app.store.insert_key(record.clone()).await?;
    Ok((StatusCode::CREATED, shown(&secret, &record)).into_response())
}

fn shown(secret: &Secret, record: &KeyRecord) -> Json<NewSecret> {
    Json(NewSecret {
        key: secret.reveal(),
        info: wire(record),
    })
}

/// The key of the path, if it belongs to `project`, or to the server.
async fn find(app: &App, project: Option<ProjectId>, params: &Params) -> Answer<KeyRecord> {
    let found = app.store.key(params.uuid("key")?).await?;
    let found = found.filter(|key| key.project == project);
    found.ok_or_else(|| Fault::not_found("key"))
}

async fn change(
    app: &App,
    project: Option<ProjectId>,
    params: &Params,
    rotation: RotateKey,
) -> Answer {
    let record = find(app, project, params).await?;
    let secret = Secret::make(record.id);
    let until = app
        .now()
        .plus(Duration::from_secs(rotation.keep_old_s.into()));
    let present = record.secret_hash.clone();
    let rotated = app
        .store
        .rotate_key(record.id, present, secret.hash(), until)
        .await?;
    app.auth.keys.forget(record.id);
    if rotated {
        Ok(shown(&secret, &record).into_response())
    } else {
        let detail = "the key was revoked, or rotated by somebody else just now";
        Err(Fault::new(Code::Conflict, detail))
    }
}

async fn refuse(app: &App, project: Option<ProjectId>, params: &Params) -> Answer {
    let record = find(app, project, params).await?;
    app.store.revoke_key(record.id, app.now()).await?;
    app.auth.keys.forget(record.id);
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn list(State(app): State<App>, Query(query): Query<List<OldestFirst>>) -> Answer<Page<Key>> {
    page(&app, None, &query).await
}

async fn list_own(
    State(app): State<App>,
    scope: Scope,
    Query(query): Query<List<OldestFirst>>,
) -> Answer<Page<Key>> {
    page(&app, Some(scope.id()), &query).await
}

async fn create(State(app): State<App>, Body(new): Body<CreateKey>) -> Answer {
    make(&app, None, new).await
}

async fn create_own(State(app): State<App>, scope: Scope, Body(new): Body<CreateKey>) -> Answer {
    make(&app, Some(scope.id()), new).await
}

async fn rotate(State(app): State<App>, params: Params, Body(rotation): Body<RotateKey>) -> Answer {
    change(&app, None, &params, rotation).await
}

async fn rotate_own(
    State(app): State<App>,
    scope: Scope,
    params: Params,
    Body(rotation): Body<RotateKey>,
) -> Answer {
    change(&app, Some(scope.id()), &params, rotation).await
}

async fn revoke(State(app): State<App>, params: Params) -> Answer {
    refuse(&app, None, &params).await
}

async fn revoke_own(State(app): State<App>, scope: Scope, params: Params) -> Answer {
    refuse(&app, Some(scope.id()), &params).await
}

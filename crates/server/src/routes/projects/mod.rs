//! Projects: create, read, change, delete softly, restore, purge; usage and members.
mod members;
mod texts;
mod wire;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use runstone_api::{
    Access::{AtLeast, Authenticated},
    BASE, Code, FieldError, List,
    Role::{Admin, Owner, Viewer},
    list::ProjectKey,
    projects::{ChangeProject, ListProjects, NewProject, Project, Usage},
};
use runstone_model::ids::ProjectId;
use runstone_store::{
    ProjectFilter, ProjectOrder, ProjectRecord, ProjectText, ProjectWrite, Purged,
};
use serde_json::json;

pub(crate) use self::texts::Texts;
use self::{texts::Text, wire::Wire};
use super::{once::Once, quota, versioned::small};
use crate::{
    Answer, App, Body, Caller, Fault, Page, Paging, Query, Route, Scope, auth::Reach, etag,
    if_match, invalid_body, report::report,
};

const IF_MATCH: &str = "The ETag that was read.";

pub(super) fn routes() -> Vec<Route> {
    let example = json!({ "name": "reviews", "description": "Code reviews", "quotas": { "active_runs": 100 } });
    let mut routes = vec![
        Route::get("/projects", "projects.list", Authenticated, list)
            .summary("The projects that the caller may see, oldest first")
            .query::<List<ProjectKey, ListProjects>>()
            .page::<Project>(),
        Route::post("/projects", "projects.create", AtLeast(Admin), create)
            .summary("Make a project")
            .once()
            .body::<NewProject>(example)
            .answers::<Project>(201, "It is made; `Location` and `ETag` are given."),
        Route::get("/projects/{project}", "projects.get", AtLeast(Viewer), get)
            .summary("One project")
            .reaches_deleted()
            .etag()
            .answers::<Project>(200, "The project, with its `ETag`."),
        Route::patch(
            "/projects/{project}",
            "projects.change",
            AtLeast(Owner),
            change,
        )
        .summary("Change a project: what is not given stays")
        .header("If-Match", true, IF_MATCH)
        .body::<ChangeProject>(json!({ "description": "Code reviews of all teams" }))
        .answers::<Project>(200, "The changed project, with its new `ETag`."),
        Route::delete(
            "/projects/{project}",
            "projects.delete",
            AtLeast(Owner),
            delete,
        )
        .summary("Delete a project softly: it can be restored until it is purged")
        .header("If-Match", true, IF_MATCH)
        .empty(
            204,
            "It is deleted; everything in it is not found from now on.",
        ),
        Route::post(
            "/projects/{project}:restore",
            "projects.restore",
            AtLeast(Owner),
            restore,
        )
        .summary("Take back a deletion")
        .reaches_deleted()
        .answers::<Project>(200, "The project as it was."),
        Route::post(
            "/projects/{project}:purge",
            "projects.purge",
            AtLeast(Admin),
            purge,
        )
        .summary("Delete a softly deleted project for good, with everything in it")
        .reaches_deleted()
        .unhurried()
        .empty(204, "Everything is gone."),
        Route::get(
            "/projects/{project}/usage",
            "projects.usage",
            AtLeast(Viewer),
            usage,
        )
        .summary("What a project uses, and what it may use")
        .answers::<Usage>(200, "The usage, with its `Age`."),
    ];
    routes.extend(members::routes());
    routes
}

fn answer(status: StatusCode, record: &ProjectRecord) -> Response {
    (status, [etag(record.version)], Json(Wire(record))).into_response()
}

async fn present(app: &App, id: ProjectId) -> Answer<ProjectRecord> {
    let found = app.store.project(id).await?;
    found.ok_or_else(|| Fault::not_found("project"))
}

fn text(value: &impl serde::Serialize) -> Answer<Option<String>> {
    let text = serde_json::to_string(value);
    text.map(Some)
        .map_err(|error| Fault::internal(error.to_string()))
}

fn check_name(name: &str) -> Answer<()> {
    if name.trim() == name && !name.chars().any(char::is_control) {
        return Ok(());
    }
    let detail = "must not begin or end with a space or hold control characters";
    Err(invalid_body(vec![FieldError::new("/name", detail)]))
}

async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<List<ProjectKey, ListProjects>>,
) -> Answer<Page<Text>> {
    let paging = Paging::read("projects", &query)?;
    let deleted = query.filter.deleted.unwrap_or(false);
    let subject = match &caller.reach {
        Reach::Admin | Reach::Server(_) => None,
        Reach::Subject(subject, _) => Some(subject.clone()),
        Reach::Project(id, _) => {
            let own = app.store.project(*id).await?;
            let own = own.filter(|own| own.deleted_at.is_some() == deleted);
            let own = own.map(|own| app.projects.keep(&own)).transpose()?;
            let total = query.total.then_some(u64::from(own.is_some()));
            let page = paging.page(own.into_iter().collect(), |_| id.to_string());
            return Ok(page.total(total));
        }
    };
    let filter = ProjectFilter { subject, deleted };
    let by_name = paging.sort.key == ProjectKey::Name;
    let order = match by_name {
        true => ProjectOrder::Name(paging.walk()?),
        false => ProjectOrder::Created(paging.walk()?),
    };
    let found = app.store.projects(&filter, order).await?;
    let page = paging.page(found, |mark| match by_name {
        true => mark.name.clone(),
        false => mark.id.to_string(),
    });
    let total = match query.total {
        true => Some(app.store.count_projects(&filter).await?),
        false => None,
    };
    Ok(Page {
        items: texts::texts(&app, &page.items, deleted).await?,
        next_cursor: page.next_cursor,
        total,
    })
}

async fn create(State(app): State<App>, headers: HeaderMap, Body(new): Body<NewProject>) -> Answer {
    check_name(&new.name)?;
    let once = Once::outside(&app, &headers, "projects.create", &new).await?;
    let app = &app;
    let there = |id| async move { Ok(app.store.project(ProjectId(id)).await?) };
    let make = |id| insert(app, ProjectId(id), new);
    let record = once.make(there, make).await?;
    let mut response = answer(StatusCode::CREATED, &record);
    let location = format!("{BASE}/projects/{}", record.id);
    if let Ok(location) = location.parse() {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

async fn insert(app: &App, id: ProjectId, new: NewProject) -> Answer<ProjectRecord> {
    let now = app.now();
    let name = new.name.clone();
    let record = ProjectRecord {
        id,
        name: new.name,
        description: new.description,
        version: 1,
        settings: Some(small("/settings", &new.settings)?),
        quotas: text(&new.quotas)?,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    let written = app.store.insert_project(id, texts(&record), now).await?;
    done(app, id, written, &name).await?;
    Ok(record)
}

fn texts(record: &ProjectRecord) -> ProjectText {
    ProjectText {
        name: record.name.clone(),
        description: record.description.clone(),
        settings: record.settings.clone(),
        quotas: record.quotas.clone(),
    }
}

/// What a write that was not done is answered with.
async fn done(app: &App, id: ProjectId, written: ProjectWrite, name: &str) -> Answer<()> {
    match written {
        ProjectWrite::Done => Ok(()),
        ProjectWrite::NameTaken => {
            let detail = format!("there is a project `{name}` already, perhaps a deleted one");
            Err(Fault::new(Code::Conflict, detail))
        }
        ProjectWrite::Stale => Err(stale(present(app, id).await?.version)),
    }
}

fn stale(version: i64) -> Fault {
    let detail = format!("it has version {version} now");
    let (name, value) = etag(version);
    let fault = Fault::new(Code::StaleVersion, detail).version(version);
    match value.parse() {
        Ok(value) => fault.header(name, value),
        Err(_) => fault,
    }
}

async fn get(scope: Scope) -> Response {
    answer(StatusCode::OK, &scope.project)
}

async fn change(
    State(app): State<App>,
    scope: Scope,
    headers: HeaderMap,
    Body(change): Body<ChangeProject>,
) -> Answer {
    let version = if_match(&headers)?;
    if version != scope.project.version {
        return Err(stale(scope.project.version));
    }
    let mut record = (*scope.project).clone();
    if let Some(name) = change.name {
        check_name(&name)?;
        record.name = name;
    }
    record.description = change.description.or(record.description);
    if let Some(settings) = change.settings {
        record.settings = Some(small("/settings", &settings)?);
    }
    if let Some(quotas) = change.quotas {
        record.quotas = text(&quotas)?;
    }
    let update = app
        .store
        .update_project(scope.id(), version, texts(&record), app.now());
    done(&app, scope.id(), update.await?, &record.name).await?;
    Ok(answer(StatusCode::OK, &present(&app, scope.id()).await?))
}

async fn delete(State(app): State<App>, scope: Scope, headers: HeaderMap) -> Answer {
    let version = if_match(&headers)?;
    if scope.id() == ProjectId::DEFAULT {
        let detail = "the default project stays: the command line works in it";
        return Err(Fault::new(Code::Conflict, detail));
    }
    let deleted = app
        .store
        .set_project_deleted(scope.id(), version, true, app.now())
        .await?;
    done(&app, scope.id(), deleted, &scope.project.name).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn restore(State(app): State<App>, scope: Scope) -> Answer {
    if scope.project.deleted_at.is_none() {
        return Ok(answer(StatusCode::OK, &scope.project));
    }
    let version = scope.project.version;
    let restored = app
        .store
        .set_project_deleted(scope.id(), version, false, app.now())
        .await?;
    done(&app, scope.id(), restored, &scope.project.name).await?;
    Ok(answer(StatusCode::OK, &present(&app, scope.id()).await?))
}

async fn purge(State(app): State<App>, scope: Scope) -> Answer {
    match app.store.purge_project(scope.id()).await? {
        Purged::Gone => Ok(StatusCode::NO_CONTENT.into_response()),
        Purged::Unfinished(runs) => {
            let detail = format!("{runs} of its runs have not ended; restore it and cancel them");
            Err(Fault::new(Code::Conflict, detail))
        }
        Purged::NotDeleted => Err(Fault::new(
            Code::Conflict,
            "only a deleted project can be purged; delete it first",
        )),
    }
}

async fn usage(State(app): State<App>, scope: Scope) -> Answer {
    let (app, project) = (&app, scope.id());
    report(app, project, "projects.usage", &(), |at| async move {
        // Read anew: what came with the request may be older than the write that made a report void.
        let quotas = quota::of(&present(app, project).await?)?;
        let runs_by_status = app.store.runs_by_status(project).await?;
        Ok(Usage {
            flows: app.store.count_flows(project).await?,
            runs: runs_by_status.values().sum(),
            runs_by_status,
            quotas,
            as_of: at.rfc3339(),
        })
    })
    .await
}

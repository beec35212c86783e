//! Threads: conversations whose messages have one order, the same for everybody.
mod messages;

use axum::{
    extract::State,
    http::{HeaderMap, HeaderName, StatusCode},
};
use runstone_api::{
    Access::AtLeast,
    BASE, List,
    Role::{Editor, Viewer},
    list::NewestFirst,
    threads::{PutThread, RoleStats, Thread, ThreadStats},
};
use runstone_model::{ids::ThreadId, time::Timestamp};
use runstone_store::thread::{RoleStats as StoredStats, Thread as Stored, ThreadText};
use serde_json::{Map, Value, json};

use super::once::Once;
use super::versioned::{IF_MATCH, json as stored_json, made, small, stale, tagged};
use crate::{
    Answer, App, Body, Fault, Page, Paging, Params, Query, Route, Scope, etag_with, if_match,
    report::report,
};

pub(super) fn routes() -> Vec<Route> {
    let of = |path: &str| format!("/projects/{{project}}/threads{path}");
    let mut routes = vec![
        Route::get(&of(""), "threads.list", AtLeast(Viewer), list)
            .summary("The threads of a project, newest first")
            .query::<List<NewestFirst>>()
            .page::<Thread>(),
        Route::post(&of(""), "threads.create", AtLeast(Editor), create)
            .summary("Begin a thread")
            .once()
            .body::<PutThread>(json!({ "title": "Order 7", "retain_ms": 2_592_000_000_i64 }))
            .answers::<Thread>(201, "It is there; `Location` and `ETag` are given."),
        Route::get(&of("/{thread}"), "threads.get", AtLeast(Viewer), get)
            .summary("One thread")
            .etag()
            .answers::<Thread>(200, "The thread, with its `ETag`."),
        Route::put(&of("/{thread}"), "threads.put", AtLeast(Editor), put)
            .summary("Change what a thread is called and how long its messages stay")
            .header("If-Match", true, IF_MATCH)
            .body::<PutThread>(json!({ "title": "Order 7, answered" }))
            .answers::<Thread>(200, "The changed thread, with its new `ETag`."),
        Route::delete(&of("/{thread}"), "threads.delete", AtLeast(Editor), delete)
            .summary("Remove a thread with all its messages")
            .empty(204, "It is gone."),
        Route::get(
            &of("/{thread}/stats"),
            "threads.stats",
            AtLeast(Viewer),
            stats,
        )
        .summary("What a thread holds, by role")
        .answers::<ThreadStats>(200, "The counts, with their `Age`."),
    ];
    routes.extend(messages::routes());
    routes
}

fn thread_id(params: &Params) -> Answer<ThreadId> {
    params.uuid("thread").map(ThreadId)
}

async fn present(app: &App, scope: &Scope, params: &Params) -> Answer<Stored> {
    let found = app.store.thread(scope.id(), thread_id(params)?).await?;
    found.ok_or_else(|| Fault::not_found("thread"))
}

/// Messages change a thread without another version.
fn tag(thread: &Stored) -> (HeaderName, String) {
    etag_with(thread.version, thread.last_seq)
}

/// Stored metadata; nothing is an empty object.
fn metadata(text: Option<&str>) -> Value {
    stored_json(text).unwrap_or_else(|| Value::Object(Map::new()))
}

fn stored_metadata(pointer: &str, metadata: Option<Map<String, Value>>) -> Answer<Option<String>> {
    metadata.map(|fields| small(pointer, &fields)).transpose()
}

fn wire(stored: &Stored) -> Thread {
    Thread {
        id: stored.id.0,
        title: stored.title.clone(),
        metadata: metadata(stored.metadata.as_deref()),
        last_seq: stored.last_seq,
        retain_ms: stored.retain_ms,
        version: stored.version,
        created_at: stored.created_at.rfc3339(),
        updated_at: stored.updated_at.rfc3339(),
    }
}

fn text(put: PutThread) -> Answer<ThreadText> {
    Ok(ThreadText {
        title: put.title,
        metadata: stored_metadata("/metadata", put.metadata)?,
        retain_ms: put.retain_ms,
    })
}

async fn list(
    State(app): State<App>,
    scope: Scope,
    Query(query): Query<List<NewestFirst>>,
) -> Answer<Page<Thread>> {
    let paging = Paging::read("threads", &query)?;
    let found = app.store.threads(scope.id(), &paging.walk()?).await?;
    let page = paging.page(found, |thread| thread.id.to_string());
    let total = match query.total {
        true => Some(app.store.count_threads(scope.id()).await?),
        false => None,
    };
    Ok(page.map(|thread| wire(&thread)).total(total))
}

async fn create(
    State(app): State<App>,
    scope: Scope,
    headers: HeaderMap,
    Body(new): Body<PutThread>,
) -> Answer {
    let once = Once::of(&app, scope.id(), &headers, "threads.create", &new).await?;
    let (store, project, now) = (&app.store, scope.id(), app.now());
    let there = |id| async move { Ok(store.thread(project, ThreadId(id)).await?) };
    let make = |id| async move {
        let made = store.create_thread(project, ThreadId(id), text(new)?, now);
        Ok(made.await?)
    };
    let thread = once.make(there, make).await?;
    let location = format!("{BASE}/projects/{project}/threads/{}", thread.id);
    Ok(made(
        StatusCode::CREATED,
        &location,
        Some(tag(&thread)),
        wire(&thread),
    ))
}

async fn get(State(app): State<App>, scope: Scope, params: Params) -> Answer {
    let thread = present(&app, &scope, &params).await?;
    Ok(tagged(tag(&thread), wire(&thread)))
}

async fn put(
    State(app): State<App>,
    scope: Scope,
    params: Params,
    headers: HeaderMap,
    Body(put): Body<PutThread>,
) -> Answer {
    let (id, version) = (thread_id(&params)?, if_match(&headers)?);
    let (text, now) = (text(put)?, app.now());
    let done = app
        .store
        .update_thread(scope.id(), id, version, text, now)
        .await?;
    let thread = present(&app, &scope, &params).await?;
    if done {
        Ok(tagged(tag(&thread), wire(&thread)))
    } else {
        Err(stale(thread.version))
    }
}

async fn delete(State(app): State<App>, scope: Scope, params: Params) -> Answer<StatusCode> {
    if app
        .store
        .delete_thread(scope.id(), thread_id(&params)?)
        .await?
    {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Fault::not_found("thread"))
    }
}

async fn stats(State(app): State<App>, scope: Scope, params: Params) -> Answer {
    let thread = present(&app, &scope, &params).await?;
    let (app, project, id) = (&app, scope.id(), thread.id);
    let (scope, params) = (&scope, &params);
    report(app, project, "threads.stats", &id, |at| async move {
        let thread = present(app, scope, params).await?;
        let found = app.store.thread_stats(project, id).await?;
        Ok(counted(&thread, found, at))
    })
    .await
}

fn counted(thread: &Stored, found: Vec<StoredStats>, at: Timestamp) -> ThreadStats {
    let messages = found.iter().map(|role| role.messages).sum();
    let first_at = found.iter().map(|role| role.first_at).min();
    let last_at = found.iter().map(|role| role.last_at).max();
    // Messages go by their age: what is kept may have been joined by others since.
    let last_seq = thread.last_seq.max(messages);
    ThreadStats {
        messages,
        bytes: found.iter().map(|role| role.bytes).sum(),
        removed: last_seq - messages,
        first_at: first_at.map(|at| at.rfc3339()),
        last_at: last_at.map(|at| at.rfc3339()),
        roles: found
            .into_iter()
            .map(|role| RoleStats {
                role: role.role,
                messages: role.messages,
                bytes: role.bytes,
            })
            .collect(),
        as_of: at.rfc3339(),
    }
}

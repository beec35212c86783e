//! Messages: added one by one or several next to each other, read either way, searched.
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use runstone_api::{
    Access::AtLeast,
    BASE, List,
    Role::{Editor, Viewer},
    Sort,
    list::{NewestFirst, SeqKey},
    threads::{AddedMessages, ListMessages, Message, NewMessage, NewMessages, SearchMessages},
};
use runstone_model::ids::{MessageId, RunId, ThreadId};
use runstone_store::thread::{Message as Stored, NewMessage as New};
use serde_json::{Value, json};

use super::{metadata, present, stored_metadata, thread_id};
use crate::{
    Answer, App, Body, Fault, Page, Paging, Params, Query, Route, Scope, counted,
    routes::{
        once::{Once, nth},
        versioned::made,
    },
};

pub(super) fn routes() -> Vec<Route> {
    let of = |path: &str| format!("/projects/{{project}}/threads/{{thread}}/messages{path}");
    let one = json!({ "role": "user", "content": "Where is my order?" });
    let two = json!({ "messages": [
        { "role": "assistant", "content": [{ "type": "text", "text": "It left on Monday." }] },
        { "role": "tool", "name": "tracking", "content": { "status": "on its way" } },
    ] });
    vec![
        Route::get(&of(""), "messages.list", AtLeast(Viewer), list)
            .summary("The messages of a thread, in their order")
            .query::<List<SeqKey, ListMessages>>()
            .page::<Message>(),
        Route::post(&of(""), "messages.create", AtLeast(Editor), create)
            .summary("Add a message")
            .describe(
                "Numbers have no gaps and are given in one order, whoever writes at the same time.",
            )
            .once()
            .body::<NewMessage>(one)
            .answers::<Message>(201, "The message with its number; `Location` is given."),
        Route::post(&of(":batch"), "messages.batch", AtLeast(Editor), batch)
            .summary("Add messages next to each other, all or none")
            .once()
            .body::<NewMessages>(two)
            .answers::<AddedMessages>(201, "The messages with their numbers."),
        Route::get(&of("/{seq}"), "messages.get", AtLeast(Viewer), get)
            .summary("One message")
            .answers::<Message>(200, "The message."),
        Route::get(
            "/projects/{project}/messages",
            "messages.search",
            AtLeast(Viewer),
            search,
        )
        .summary("The messages of all threads that have a phrase, newest first")
        .query::<List<NewestFirst, SearchMessages>>()
        .page::<Message>(),
    ]
}

fn wire(stored: Stored) -> Answer<Message> {
    let content = serde_json::from_str(&stored.content);
    Ok(Message {
        id: stored.id.0,
        thread_id: stored.thread.0,
        seq: stored.seq,
        role: stored.role,
        name: stored.name,
        run_id: stored.run.map(|run| run.0),
        content: content.map_err(|error| Fault::internal(error.to_string()))?,
        metadata: metadata(stored.metadata.as_deref()),
        created_at: stored.created_at.rfc3339(),
    })
}

fn wires(page: Page<Stored>) -> Answer<Page<Message>> {
    let items: Answer<Vec<Message>> = page.items.into_iter().map(wire).collect();
    Ok(Page {
        items: items?,
        next_cursor: page.next_cursor,
        total: page.total,
    })
}

/// `pointer` is its place in the body.
fn new(id: MessageId, message: NewMessage, pointer: &str) -> Answer<New> {
    let mut text = String::new();
    collect_texts(&message.content, &mut text);
    Ok(New {
        id,
        role: message.role,
        name: message.name,
        run: message.run_id.map(RunId),
        content: message.content.to_string(),
        text,
        metadata: stored_metadata(&format!("{pointer}/metadata"), message.metadata)?,
    })
}

/// All texts in a value, one a line.
fn collect_texts(value: &Value, into: &mut String) {
    match value {
        Value::String(text) => {
            into.push_str(text);
            into.push('\n');
        }
        Value::Array(items) => items.iter().for_each(|item| collect_texts(item, into)),
        Value::Object(fields) => fields.values().for_each(|field| collect_texts(field, into)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Adds messages, once: all of them or none. `alone`: the one that the body is.
async fn append(
    app: &App,
    scope: &Scope,
    (thread, once): (ThreadId, Once),
    messages: Vec<NewMessage>,
    alone: bool,
) -> Answer<Vec<Message>> {
    let (store, project, now) = (&app.store, scope.id(), app.now());
    let count = u32::try_from(messages.len()).unwrap_or(u32::MAX);
    let there = |id| async move {
        let first = store.message_by_id(project, thread, MessageId(id)).await?;
        let Some(first) = first else {
            return Ok(None);
        };
        let together = (first.seq, count);
        Ok(Some(
            store.messages_together(project, thread, together).await?,
        ))
    };
    let make = |id| async move {
        let new = messages.into_iter().enumerate().map(|(number, message)| {
            let pointer = match alone {
                true => String::new(),
                false => format!("/messages/{number}"),
            };
            new(MessageId(nth(id, number)), message, &pointer)
        });
        let new: Answer<Vec<New>> = new.collect();
        let added = store.append_messages(project, thread, new?, now);
        added.await?.ok_or_else(|| Fault::not_found("thread"))
    };
    let added = once.make(there, make).await?;
    added.into_iter().map(wire).collect()
}

async fn create(
    State(app): State<App>,
    scope: Scope,
    params: Params,
    headers: HeaderMap,
    Body(message): Body<NewMessage>,
) -> Answer {
    let thread = thread_id(&params)?;
    let action = format!("messages.create {thread}");
    let once = Once::of(&app, scope.id(), &headers, &action, &message).await?;
    let added = append(&app, &scope, (thread, once), vec![message], true).await?;
    let none = || Fault::internal("a message was added and is not there");
    let message = added.into_iter().next().ok_or_else(none)?;
    let thread = format!(
        "{BASE}/projects/{}/threads/{}",
        scope.id(),
        message.thread_id
    );
    let location = format!("{thread}/messages/{}", message.seq);
    Ok(made(StatusCode::CREATED, &location, None, message))
}

async fn batch(
    State(app): State<App>,
    scope: Scope,
    params: Params,
    headers: HeaderMap,
    Body(new): Body<NewMessages>,
) -> Answer<(StatusCode, Json<AddedMessages>)> {
    let thread = thread_id(&params)?;
    let action = format!("messages.batch {thread}");
    let once = Once::of(&app, scope.id(), &headers, &action, &new).await?;
    let messages = append(&app, &scope, (thread, once), new.messages, false).await?;
    Ok((StatusCode::CREATED, Json(AddedMessages { messages })))
}

async fn list(
    State(app): State<App>,
    scope: Scope,
    params: Params,
    Query(query): Query<List<SeqKey, ListMessages>>,
) -> Answer<Page<Message>> {
    let q = query.filter.q.as_deref();
    // What is found is told newest first, unless somebody wants it otherwise.
    let usual = Sort {
        key: SeqKey::Seq,
        down: q.is_some(),
    };
    let paging = Paging::read_in("messages", &query, query.sort.unwrap_or(usual))?;
    let walk = paging.walk()?;
    let (project, thread) = (scope.id(), present(&app, &scope, &params).await?.id);
    let store = &app.store;
    let found = match q {
        Some(words) => store.search_messages(project, thread, words, walk).await?,
        None => store.messages(project, thread, walk).await?,
    };
    let total = match (query.total, q) {
        (false, _) => None,
        (true, None) => Some(store.count_messages(project, thread).await?),
        (true, Some(words)) => {
            let found = store.count_found_messages(project, Some(thread), words);
            Some(counted(found.await?)?)
        }
    };
    let page = paging.sifted(found, |message| message.seq.to_string(), i64::to_string);
    Ok(wires(page)?.total(total))
}

async fn get(State(app): State<App>, scope: Scope, params: Params) -> Answer<Json<Message>> {
    let (id, seq) = (thread_id(&params)?, params.read::<i64>("seq")?);
    let found = app.store.message(scope.id(), id, seq).await?;
    wire(found.ok_or_else(|| Fault::not_found("message"))?).map(Json)
}

async fn search(
    State(app): State<App>,
    scope: Scope,
    Query(query): Query<List<NewestFirst, SearchMessages>>,
) -> Answer<Page<Message>> {
    let paging = Paging::read("messages.search", &query)?;
    let (store, words) = (&app.store, &query.filter.q);
    let found = store
        .search_project_messages(scope.id(), words, paging.walk()?)
        .await?;
    let total = match query.total {
        true => {
            let found = store.count_found_messages(scope.id(), None, words);
            Some(counted(found.await?)?)
        }
        false => None,
    };
    let page = paging.sifted(
        found,
        |message| message.id.to_string(),
        MessageId::to_string,
    );
    Ok(wires(page)?.total(total))
}

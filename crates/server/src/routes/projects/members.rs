//! Members: what people may do in a project, by the subject of their token.
use axum::{Json, extract::State, http::StatusCode};
use runstone_api::{
    Access::AtLeast,
    FieldError, List, Role,
    list::MemberKey,
    projects::{Member, PutMember},
};
use runstone_store::MemberRecord;
use serde_json::json;

use crate::{Answer, App, Body, Fault, Page, Paging, Params, Query, Route, Scope, invalid_body};

pub(super) fn routes() -> Vec<Route> {
    const OWNER: runstone_api::Access = AtLeast(Role::Owner);
    vec![
        Route::get("/projects/{project}/members", "members.list", OWNER, list)
            .summary("Who may do what in a project")
            .query::<List<MemberKey>>()
            .page::<Member>(),
        Route::put(
            "/projects/{project}/members/{subject}",
            "members.put",
            OWNER,
            put,
        )
        .summary("Make somebody a member, or change their role")
        .body::<PutMember>(json!({ "role": "editor" }))
        .answers::<Member>(200, "The member."),
        Route::delete(
            "/projects/{project}/members/{subject}",
            "members.delete",
            OWNER,
            delete,
        )
        .summary("Take somebody out of a project")
        .empty(204, "They are no member any more."),
    ]
}

fn wire(record: MemberRecord) -> Answer<Member> {
    let role = Role::from_name(&record.role);
    Ok(Member {
        role: role.ok_or_else(|| Fault::internal("a member has an unknown role"))?,
        subject: record.subject,
        created_at: record.created_at.rfc3339(),
    })
}

async fn list(
    State(app): State<App>,
    scope: Scope,
    Query(query): Query<List<MemberKey>>,
) -> Answer<Page<Member>> {
    let paging = Paging::read("members", &query)?;
    let found = app.store.members(scope.id(), &paging.walk()?).await?;
    let members: Answer<Vec<Member>> = found.into_iter().map(wire).collect();
    let page = paging.page(members?, |member| member.subject.clone());
    let total = match query.total {
        true => Some(app.store.count_members(scope.id()).await?),
        false => None,
    };
    Ok(page.total(total))
}

async fn put(
    State(app): State<App>,
    scope: Scope,
    params: Params,
    Body(put): Body<PutMember>,
) -> Answer<Json<Member>> {
    if put.role == Role::Admin {
        let detail = "admins are named in the server's configuration";
        return Err(invalid_body(vec![FieldError::new("/role", detail)]));
    }
    let subject = params.text("subject")?;
    if subject.chars().count() > 200 {
        return Err(Fault::not_found("subject"));
    }
    app.store
        .put_member(scope.id(), subject, put.role.name(), app.now())
        .await?;
    let found = app.store.member(scope.id(), subject).await?;
    wire(found.ok_or_else(|| Fault::not_found("member"))?).map(Json)
}

async fn delete(State(app): State<App>, scope: Scope, params: Params) -> Answer<StatusCode> {
    let subject = params.text("subject")?;
    if app.store.delete_member(scope.id(), subject).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Fault::not_found("member"))
    }
}

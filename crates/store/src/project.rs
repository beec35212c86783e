//! Projects, their members, and what they use. Names are unique among all projects, the deleted ones
//! included, so that a restored one fits in again.
mod purge;

use std::collections::{BTreeMap, BTreeSet};

use futures::future::BoxFuture;
use runstone_db::{Batch, Class, Row as DbRow, Value};
use runstone_model::{ids::ProjectId, run::Status, time::Timestamp};
use uuid::Uuid;

use crate::{Error, SqlStore, Walk, cells::Cells, together::Place};

/// A project's own row. `settings` and `quotas` are JSON, empty when none were given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectRecord {
    /// Its id.
    pub id: ProjectId,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Raised by every change.
    pub version: i64,
    /// Its settings as JSON.
    pub settings: Option<String>,
    /// Its quotas as JSON.
    pub quotas: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// When it was deleted.
    pub deleted_at: Option<Timestamp>,
}

/// A project on a page of a list: enough to tell whether it is still as it was read before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectMark {
    /// Its id.
    pub id: ProjectId,
    /// Its name.
    pub name: String,
    /// Raised by every change.
    pub version: i64,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

/// What a project is made of, or changed to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProjectText {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Its settings as JSON.
    pub settings: Option<String>,
    /// Its quotas as JSON.
    pub quotas: Option<String>,
}

/// Which projects to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProjectFilter {
    /// Those that somebody is a member of; all when not given.
    pub subject: Option<String>,
    /// The deleted ones instead of the others.
    pub deleted: bool,
}

/// In which order projects are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProjectOrder {
    /// As they were made.
    Created(Walk<ProjectId>),
    /// By name, as the database sorts names.
    Name(Walk<String>),
}

/// What became of a write to a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProjectWrite {
    /// It is done.
    Done,
    /// Another project has the name.
    NameTaken,
    /// It has another version meanwhile, or is deleted, or is not there.
    Stale,
}

/// What became of a purge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purged {
    /// Everything is gone.
    Gone,
    /// So many runs have not ended: nothing else was touched.
    Unfinished(u64),
    /// It is not there, or not deleted.
    NotDeleted,
}

/// A member of a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberRecord {
    /// The subject of the token.
    pub subject: String,
    /// The role's name.
    pub role: String,
    /// Since when.
    pub created_at: Timestamp,
}

/// Projects of a page: the most that the API gives, and one that tells whether there are more.
const LARGEST_PAGE: u32 = 501;

fn record(row: DbRow) -> Result<ProjectRecord, Error> {
    let mut cells = Cells::new("projects", row);
    Ok(ProjectRecord {
        id: ProjectId(cells.next()?),
        name: cells.next()?,
        description: cells.next()?,
        version: cells.next()?,
        settings: cells.next()?,
        quotas: cells.next()?,
        created_at: Timestamp(cells.next()?),
        updated_at: Timestamp(cells.next()?),
        deleted_at: cells.next::<Option<i64>>()?.map(Timestamp),
    })
}

fn mark(row: DbRow) -> Result<ProjectMark, Error> {
    let mut cells = Cells::new("projects", row);
    Ok(ProjectMark {
        id: ProjectId(cells.next()?),
        name: cells.next()?,
        version: cells.next()?,
        updated_at: Timestamp(cells.next()?),
    })
}

fn member(row: DbRow) -> Result<MemberRecord, Error> {
    let mut cells = Cells::new("members", row);
    Ok(MemberRecord {
        subject: cells.next()?,
        role: cells.next()?,
        created_at: Timestamp(cells.next()?),
    })
}

fn written(done: Result<u64, runstone_db::Error>) -> Result<ProjectWrite, Error> {
    match done {
        Ok(1..) => Ok(ProjectWrite::Done),
        Ok(0) => Ok(ProjectWrite::Stale),
        Err(error) if error.class == Class::Unique => Ok(ProjectWrite::NameTaken),
        Err(error) => Err(error.into()),
    }
}

/// What [`SqlStore::insert_project`] is given.
pub(crate) type NewProject = (ProjectId, ProjectText, Timestamp);

fn row((id, text, now): &NewProject) -> Vec<Value> {
    vec![
        id.0.into(),
        text.name.as_str().into(),
        now.0.into(),
        now.0.into(),
        1_i64.into(),
        text.description.clone().into(),
        text.settings.clone().into(),
        text.quotas.clone().into(),
    ]
}

async fn insert(place: &Place, new: &[NewProject]) -> Result<u64, runstone_db::Error> {
    let mut batch = Batch::new();
    let rows = new.iter().map(row).collect();
    batch.push(&place.sql.project_insert, rows, None);
    Ok(place.db.batch(batch).await?.into_iter().sum())
}

/// Makes projects for all who want one now. One name that is taken, or that the column
/// cannot hold, spoils the statement for the others: then each has its own.
pub(crate) fn insert_together(
    place: Place,
    new: Vec<NewProject>,
) -> BoxFuture<'static, Vec<Result<ProjectWrite, Error>>> {
    Box::pin(async move {
        match insert(&place, &new).await {
            Err(error) if matches!(error.class, Class::Unique | Class::Other) && new.len() > 1 => {}
            done => {
                let done = written(done);
                return new.iter().map(|_| done.clone()).collect();
            }
        }
        let mut all = Vec::with_capacity(new.len());
        for one in new {
            all.push(written(insert(&place, std::slice::from_ref(&one)).await));
        }
        all
    })
}

/// Reads the projects that are asked for now.
pub(crate) fn get_together(
    place: Place,
    ids: Vec<ProjectId>,
) -> BoxFuture<'static, Vec<Result<Option<ProjectRecord>, Error>>> {
    Box::pin(async move {
        let found = match ids.as_slice() {
            [id] => {
                let params = [("id", id.0.into())];
                let sql = &place.sql.project_get;
                place.db.fetch_all(sql, &params).await
            }
            ids => {
                let wanted: BTreeSet<Uuid> = ids.iter().map(|id| id.0).collect();
                let params = [("ids", wanted.into_iter().collect())];
                let sql = &place.sql.project_by_ids;
                place.db.fetch_all(sql, &params).await
            }
        };
        let read = |rows: Vec<DbRow>| -> Result<BTreeMap<ProjectId, ProjectRecord>, Error> {
            let records = rows.into_iter().map(record);
            records.map(|one| one.map(|one| (one.id, one))).collect()
        };
        match found.map_err(Error::from).and_then(read) {
            Ok(records) => ids.iter().map(|id| Ok(records.get(id).cloned())).collect(),
            Err(error) => ids.iter().map(|_| Err(error.clone())).collect(),
        }
    })
}

impl SqlStore {
    /// Makes a project.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn insert_project(
        &self,
        id: ProjectId,
        text: ProjectText,
        now: Timestamp,
    ) -> Result<ProjectWrite, Error> {
        self.new_projects.ask((id, text, now)).await
    }

    /// One project, deleted or not.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn project(&self, id: ProjectId) -> Result<Option<ProjectRecord>, Error> {
        let found = self.projects.ask(id).await?;
        Ok(found.filter(|found| found.id == id))
    }

    /// The project of that name, deleted or not.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn project_by_name(&self, name: &str) -> Result<Option<ProjectRecord>, Error> {
        let params = [("name", name.into())];
        self.one(&self.sql().project_by_name, &params, record).await
    }

    /// A page of projects, at most 501 of them. Each is [read](Self::project) only by whom that does
    /// not know it in this version.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn projects(
        &self,
        filter: &ProjectFilter,
        order: ProjectOrder,
    ) -> Result<Vec<ProjectMark>, Error> {
        let sql = self.sql();
        let subject = filter.subject.as_deref();
        let mut params: Vec<(&str, Value)> = Vec::new();
        params.extend(subject.map(|subject| ("subject", subject.into())));
        match order {
            ProjectOrder::Created(mut walk) => {
                walk.limit = walk.limit.min(LARGEST_PAGE);
                let pages = match (subject, filter.deleted) {
                    (None, false) => &sql.project_page,
                    (None, true) => &sql.project_page_deleted,
                    (Some(_), false) => &sql.project_page_of_subject,
                    (Some(_), true) => &sql.project_page_deleted_of_subject,
                };
                self.page(pages, &walk, params, mark).await
            }
            ProjectOrder::Name(mut walk) => {
                walk.limit = walk.limit.min(LARGEST_PAGE);
                params.push(("deleted", i64::from(filter.deleted).into()));
                let pages = match subject {
                    None => &sql.project_page_by_name,
                    Some(_) => &sql.project_page_of_subject_by_name,
                };
                self.page(pages, &walk, params, mark).await
            }
        }
    }

    /// How many projects such a list has.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn count_projects(&self, filter: &ProjectFilter) -> Result<u64, Error> {
        let sql = self.sql();
        match (&filter.subject, filter.deleted) {
            (None, false) => self.found(&sql.project_count, &[]).await,
            (None, true) => self.found(&sql.project_count_deleted, &[]).await,
            (Some(subject), deleted) => {
                let params = [
                    ("subject", subject.as_str().into()),
                    ("deleted", i64::from(deleted).into()),
                ];
                self.found(&sql.project_count_of_subject, &params).await
            }
        }
    }

    /// Changes a project that still has `version`.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn update_project(
        &self,
        id: ProjectId,
        version: i64,
        text: ProjectText,
        now: Timestamp,
    ) -> Result<ProjectWrite, Error> {
        let params = [
            ("id", id.0.into()),
            ("version", version.into()),
            ("name", text.name.into()),
            ("now", now.0.into()),
            ("description", text.description.into()),
            ("settings", text.settings.into()),
            ("quotas", text.quotas.into()),
        ];
        written(
            self.database()
                .execute(&self.sql().project_update, &params)
                .await,
        )
    }

    /// Deletes a project that still has `version` softly, or restores it.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn set_project_deleted(
        &self,
        id: ProjectId,
        version: i64,
        deleted: bool,
        now: Timestamp,
    ) -> Result<ProjectWrite, Error> {
        let params = [
            ("id", id.0.into()),
            ("version", version.into()),
            ("deleted_at", deleted.then_some(now.0).into()),
            ("now", now.0.into()),
        ];
        let statement = &self.sql().project_set_deleted;
        written(self.database().execute(statement, &params).await)
    }

    /// A project's runs counted by status.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn runs_by_status(&self, id: ProjectId) -> Result<BTreeMap<String, u64>, Error> {
        let params = [("project", id.0.into())];
        let rows = self
            .database()
            .fetch_all(&self.sql().project_runs_by_status, &params);
        let counted = rows.await?.into_iter().map(|row| {
            let mut cells = Cells::new("runs", row);
            Ok((cells.next()?, cells.next()?))
        });
        counted.collect()
    }

    /// How many runs of a project have not ended.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn active_runs(&self, id: ProjectId) -> Result<u64, Error> {
        let unfinished = Status::ALL.into_iter().filter(|status| !status.is_final());
        let statuses: Value = unfinished.map(Status::name).collect();
        let params = [("project", id.0.into()), ("statuses", statuses)];
        self.found(&self.sql().project_runs_in, &params).await
    }

    /// How many flows a project has.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn count_flows(&self, id: ProjectId) -> Result<u64, Error> {
        let params = [("project", id.0.into())];
        self.found(&self.sql().project_flows_count, &params).await
    }

    /// Makes `subject` a member, or changes the role.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn put_member(
        &self,
        project: ProjectId,
        subject: &str,
        role: &str,
        now: Timestamp,
    ) -> Result<(), Error> {
        let params = [
            ("project", project.0.into()),
            ("subject", subject.into()),
            ("role", role.into()),
            ("now", now.0.into()),
        ];
        self.database()
            .execute(&self.sql().member_put, &params)
            .await?;
        Ok(())
    }

    /// What `subject` may do in a project.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn member(
        &self,
        project: ProjectId,
        subject: &str,
    ) -> Result<Option<MemberRecord>, Error> {
        let params = [("project", project.0.into()), ("subject", subject.into())];
        self.one(&self.sql().member_get, &params, member).await
    }

    /// A page of a project's members by subject, as the database sorts them.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn members(
        &self,
        project: ProjectId,
        walk: &Walk<String>,
    ) -> Result<Vec<MemberRecord>, Error> {
        let params = [("project", project.0.into())];
        self.page(&self.sql().member_page, walk, params, member)
            .await
    }

    /// How many members a project has.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn count_members(&self, project: ProjectId) -> Result<u64, Error> {
        let params = [("project", project.0.into())];
        self.found(&self.sql().member_count, &params).await
    }

    /// Takes `subject` out of a project; false when they were not in it.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn delete_member(&self, project: ProjectId, subject: &str) -> Result<bool, Error> {
        let params = [("project", project.0.into()), ("subject", subject.into())];
        Ok(self
            .database()
            .execute(&self.sql().member_delete, &params)
            .await?
            > 0)
    }
}

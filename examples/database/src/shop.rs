//! What the shop does, in SQL that is written once for all databases. Knows no driver.
use anyhow::Context as _;
use runstone_db::{Batch, Database, Error, Statement, Value};
use std::sync::Arc;
use uuid::Uuid;

const STOCK: &str = "INSERT INTO books (id, title, stock) {{rows id:uuid, title:text, stock:int}}";
const SHELF: &str = "SELECT title, stock FROM books WHERE title {{in :titles:text}} ORDER BY title";
const FIND: &str = "SELECT id, stock FROM books WHERE title = :title";
const TAKE: &str = "UPDATE books SET stock = stock - :copies WHERE id = :id AND stock >= :copies";
const SALE: &str = "INSERT INTO sales (id, book_id, copies) VALUES (:id, :book, :copies)";
const SOLD: &str = "SELECT COUNT(*) AS sold FROM sales";

pub(crate) struct Shop {
    db: Database,
    stock: Arc<Statement>,
    shelf: Statement,
    find: Statement,
    take: Statement,
    sale: Statement,
    sold: Statement,
}

impl Shop {
    pub(crate) fn new(db: Database) -> anyhow::Result<Self> {
        let dialect = db.dialect();
        let of = |name: &str, sql: &str| Statement::render(name, sql, dialect);
        Ok(Self {
            stock: Arc::new(of("book.stock", STOCK)?),
            shelf: of("book.shelf", SHELF)?,
            find: of("book.find", FIND)?,
            take: of("book.take", TAKE)?,
            sale: of("sale.insert", SALE)?,
            sold: of("sale.count", SOLD)?,
            db,
        })
    }

    /// Puts new books on the shelf, all or none, in one round trip; answers how many.
    pub(crate) async fn stock(&self, books: &[(&str, i64)]) -> anyhow::Result<u64> {
        let rows: Vec<Vec<Value>> = books
            .iter()
            .map(|(title, stock)| vec![new_id().into(), (*title).into(), (*stock).into()])
            .collect();
        let mut batch = Batch::new();
        let expected = u64::try_from(rows.len())?;
        batch.push(&self.stock, rows, Some(expected));
        let changed = self.db.batch(batch).await?;
        changed
            .first()
            .copied()
            .context("a batch has as many counts as steps")
    }

    /// How many copies there are of each of the titles.
    pub(crate) async fn shelf(&self, titles: &[&str]) -> anyhow::Result<Vec<(String, i64)>> {
        let titles: Vec<Value> = titles.iter().map(|title| (*title).into()).collect();
        let rows = self
            .db
            .fetch_all(&self.shelf, &[("titles", titles.into())])
            .await?;
        rows.iter()
            .map(|row| Ok((row.get("title")?, row.get("stock")?)))
            .collect()
    }

    /// Sells copies of a book; answers how many are left. Nothing changes when there are too few.
    pub(crate) async fn sell(&self, title: &str, copies: i64) -> Result<i64, Error> {
        let (find, take, sale) = (self.find.clone(), self.take.clone(), self.sale.clone());
        let title = title.to_owned();
        self.db
            .transact(move |tx| {
                Box::pin(async move {
                    let book = tx
                        .fetch_optional(&find, &[("title", title.as_str().into())])
                        .await?
                        .ok_or_else(|| Error::other(format!("there is no book `{title}`")))?;
                    let (id, stock): (Uuid, i64) = (book.get("id")?, book.get("stock")?);
                    let sold = [
                        ("id", new_id().into()),
                        ("book", id.into()),
                        ("copies", copies.into()),
                    ];
                    tx.execute(&sale, &sold).await?;
                    let taken = tx
                        .execute(&take, &[("id", id.into()), ("copies", copies.into())])
                        .await?;
                    if taken == 1 {
                        Ok(stock - copies)
                    } else {
                        // An error rolls the sale above back.
                        Err(Error::expectation(format!(
                            "`{title}` is out of stock; nothing was sold"
                        )))
                    }
                })
            })
            .await
    }

    /// How many sales there were.
    pub(crate) async fn sold(&self) -> anyhow::Result<i64> {
        let row = self.db.fetch_optional(&self.sold, &[]).await?;
        Ok(row.context("a count is one row")?.get("sold")?)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a program of its own, with real ids"
)]
fn new_id() -> Uuid {
    Uuid::now_v7()
}

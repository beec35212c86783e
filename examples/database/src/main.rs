//! A small shop on SQLite, PostgreSQL, MySQL, MariaDB or SQL Server, to show the database layer on
//! its own: connect, migrate, named parameters, a batch, a transaction, the pool's statistics.
mod schema;
mod shop;

use anyhow::Context as _;
use runstone_db::{Database, Migrator, Options, masked};
use shop::Shop;
use std::time::{SystemTime, UNIX_EPOCH};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let url = std::env::args()
        .nth(1)
        .context("name a database: `cargo run -p database-example -- sqlite:shop.db`")?;
    let db = Database::connect(&url, Options::default()).await?;
    println!("connected to {} ({})", masked(&url), db.dialect());

    let migrations = schema::migrations(db.dialect());
    let migrator = Migrator::new(&db, &migrations, env!("CARGO_PKG_VERSION"), now_us()?);
    println!("migrated up: {:?}", migrator.up(None).await?);

    let shop = Shop::new(db.clone())?;
    let books = [("Dune", 3), ("Emma", 1), ("Żółw 🐢", 5)];
    println!("stocked: {} titles", shop.stock(&books).await?);
    println!("on the shelf: {:?}", shop.shelf(&["Dune", "Emma"]).await?);

    println!("sold one Emma, {} left", shop.sell("Emma", 1).await?);
    let refused = shop.sell("Emma", 1).await;
    println!(
        "another Emma: {}",
        refused.err().context("it was sold twice")?
    );
    println!("sold so far: {}", shop.sold().await?);

    println!("pool: {:?}", db.stats());
    println!("migrated down: {:?}", migrator.down(0).await?);
    db.close().await;
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "a program of its own, with a real clock"
)]
fn now_us() -> anyhow::Result<i64> {
    Ok(i64::try_from(
        SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros(),
    )?)
}

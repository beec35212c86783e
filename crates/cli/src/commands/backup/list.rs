//! `runstone backup list`: the archives at a place, from their manifests alone.
use runstone_store::backup::{Archive, chain};
use serde_json::json;

use crate::{
    archives::Place,
    args::BackupListArgs,
    exit::Exit,
    print::{
        self, duration, plain,
        table::{Align, Table},
    },
    progress::copying::bytes,
    trouble::Trouble,
};

pub(super) async fn run(args: BackupListArgs) -> anyhow::Result<Exit> {
    let place = Place::to_read(&args.place, &args.s3)?;
    let listing = place.list().await?;
    if listing.archives.is_empty() && listing.others.is_empty() {
        return Err(Trouble::at(args.place, "there is no archive").into());
    }
    let whole = |archive: &Archive| chain(archive.header.id, &listing.archives).is_ok();
    if args.json {
        let archives = listing.archives.iter();
        let archives = archives.map(|archive| {
            let header = &archive.header;
            json!({
                "archive": archive.path,
                "id": header.id,
                "parent": header.parent,
                "created_at": duration::rfc3339(archive.created_at()),
                "source": header.source,
                "schema_version": header.schema_version,
                "program": header.program,
                "encrypted": header.encryption.is_some(),
                "bytes": archive.bytes,
                "restorable": whole(archive),
            })
        });
        let others = listing.others.iter();
        let others = others.map(|(name, why)| json!({"file": name, "reason": why}));
        let (archives, others): (Vec<_>, Vec<_>) = (archives.collect(), others.collect());
        print::json(&json!({"archives": archives, "others": others}))?;
        return Ok(Exit::Ok);
    }
    let mut table = Table::new(&[
        ("taken", Align::Left),
        ("kind", Align::Left),
        ("from", Align::Left),
        ("size", Align::Right),
        ("", Align::Left),
        ("archive", Align::Left),
    ]);
    for archive in &listing.archives {
        let header = &archive.header;
        let kind = match header.parent {
            None => "full",
            Some(_) if whole(archive) => "incremental",
            Some(_) => "incremental, its parent is not here",
        };
        let encrypted = match header.encryption {
            None => "",
            Some(_) => "encrypted",
        };
        table.row(vec![
            duration::date(archive.created_at()),
            kind.to_owned(),
            header.source.clone(),
            bytes(archive.bytes),
            encrypted.to_owned(),
            plain(&archive.path.display().to_string()),
        ]);
    }
    let mut text = table.render();
    for (name, why) in &listing.others {
        text.push_str(&format!("{}: {why}\n", plain(name)));
    }
    print::out(&text)?;
    Ok(Exit::Ok)
}

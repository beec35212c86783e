//! `runstone dev`: a server on this machine for trying things out: no keys, a file as database.
use crate::{args::DevArgs, exit::Exit, print, trouble::Trouble};

use super::serve::{self, Up};

pub(super) async fn run(args: DevArgs) -> anyhow::Result<Exit> {
    let listen = args.listen.map(|value| ("server.listen", value, "listen"));
    let db = args.db.map(|value| ("database.url", value, "db"));
    let flags = listen.into_iter().chain(db).collect();
    let defaults = vec![("log.format", "text"), ("log.level", "warn")];
    let mut settings = serve::load(None, flags, defaults)?.settings;
    if !settings.listen.ip().is_loopback() {
        let reason = "is not an address of this machine alone, and nobody is asked for a key";
        let mend = "use 127.0.0.1, or `runstone serve`, which asks for keys";
        return Err(Trouble::at(settings.listen.to_string(), reason)
            .mend(mend)
            .into());
    }
    settings.auth.off = true;
    settings.auth.oidc = None;
    runstone_server::init_logs(&settings.log);
    let database = runstone_db::masked(&settings.database_url);
    let running = Up::open(settings, "runstone dev").await?.start().await?;
    let address = running.server.address();
    print::out(&format!("listening on http://{address}\n"))?;
    print::note(&format!("  database       {database}"));
    print::note(&format!("  documentation  http://{address}/docs"));
    print::note("  no auth: every program on this machine may do everything; Ctrl-C stops");
    running.until_asked_to_stop().await?;
    Ok(Exit::Ok)
}

//! `runstone graph`: a flow as a picture.
use runstone_model::flow::draw;

use crate::{
    args::{GraphArgs, GraphFormat},
    exit::Exit,
    open, print, read,
};

pub(super) fn run(args: &GraphArgs) -> anyhow::Result<Exit> {
    let flow = read::flow::flow(&args.flow, &open::registry(None)?)?.flow;
    let mut picture = match args.format {
        GraphFormat::Text => draw::text(&flow),
        GraphFormat::Mermaid => draw::mermaid(&flow),
        GraphFormat::Dot => draw::dot(&flow),
        GraphFormat::Svg => draw::svg(&flow),
    };
    if !picture.ends_with('\n') {
        picture.push('\n');
    }
    print::out(&picture)?;
    Ok(Exit::Ok)
}

//! A text in Markdown as headings, blocks of prose, and links, each with its line. Judges nothing.
use std::collections::{HashMap, HashSet};

use pulldown_cmark::{Event, HeadingLevel, LinkType, Options, Parser, Tag, TagEnd};

/// So much of a link is shown in a message.
const SHOWN_CHARS: usize = 80;

/// What a text consists of.
#[derive(Debug, Default)]
pub(super) struct Outline {
    pub(super) headings: Vec<Heading>,
    /// Paragraphs, list items and table cells; no code, no headings.
    pub(super) blocks: Vec<Block>,
    pub(super) links: Vec<Link>,
    /// Addresses that stand in the prose without being links.
    pub(super) bare_urls: Vec<Place>,
    /// What `#name` may refer to.
    pub(super) anchors: HashSet<String>,
}

#[derive(Debug)]
pub(super) struct Heading {
    pub(super) level: u8,
    pub(super) text: String,
    pub(super) line: usize,
    /// Whether anything stands between it and the next heading of its level or a higher one.
    pub(super) has_content: bool,
}

#[derive(Debug)]
pub(super) struct Block {
    pub(super) text: String,
    pub(super) line: usize,
    pub(super) is_paragraph: bool,
}

#[derive(Debug)]
pub(super) struct Link {
    pub(super) target: String,
    pub(super) text: String,
    pub(super) line: usize,
}

/// A piece of the text at a line.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) text: String,
    pub(super) line: usize,
}

impl Outline {
    pub(super) fn read(text: &str) -> Self {
        let lines = Lines::of(text);
        let mut reader = Reader::default();
        let options = Options::ENABLE_TABLES
            | Options::ENABLE_FOOTNOTES
            | Options::ENABLE_STRIKETHROUGH
            | Options::ENABLE_TASKLISTS
            | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS;
        for (event, range) in Parser::new_ext(text, options).into_offset_iter() {
            reader.take(event, lines.number(range.start));
        }
        reader.finish()
    }
}

/// Byte offsets to line numbers.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        Self(text.match_indices('\n').map(|(at, _)| at).collect())
    }

    fn number(&self, offset: usize) -> usize {
        self.0.partition_point(|end| *end < offset) + 1
    }
}

/// Collects an outline from the parser's events.
#[derive(Default)]
struct Reader {
    outline: Outline,
    heading: Option<Heading>,
    /// The headings that the text stands under, by their places, from the highest level down.
    open: Vec<usize>,
    /// The prose being collected; list items nest, but their text comes in turns.
    prose: String,
    prose_line: usize,
    in_paragraph: bool,
    in_item: u32,
    /// Links nest in images and the other way round.
    links: Vec<Link>,
    /// Code blocks, metadata and HTML are no prose.
    skipped: u32,
}

impl Reader {
    fn take(&mut self, event: Event<'_>, line: usize) {
        match event {
            Event::Start(tag) => self.start(tag, line),
            Event::End(tag) => self.end(tag),
            Event::Text(text) if self.skipped == 0 => self.text(&text, line),
            Event::Code(code) => {
                self.content();
                self.push(&code, line);
            }
            Event::Text(_) => self.content(),
            Event::SoftBreak | Event::HardBreak => self.push(" ", line),
            Event::Html(html) | Event::InlineHtml(html) => {
                if !html.trim_start().starts_with("<!--") {
                    self.content();
                }
                collect_anchors(&html, &mut self.outline.anchors);
            }
            Event::Rule
            | Event::TaskListMarker(_)
            | Event::FootnoteReference(_)
            | Event::InlineMath(_)
            | Event::DisplayMath(_) => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>, line: usize) {
        match tag {
            Tag::Heading { level, id, .. } => {
                self.flush();
                if let Some(id) = id {
                    self.outline.anchors.insert(id.to_string());
                }
                self.heading = Some(Heading {
                    level: depth(level),
                    text: String::new(),
                    line,
                    has_content: false,
                });
            }
            Tag::Paragraph => {
                self.flush();
                self.in_paragraph = self.in_item == 0;
            }
            Tag::Item => {
                self.flush();
                self.in_item += 1;
            }
            Tag::TableCell | Tag::FootnoteDefinition(_) => self.flush(),
            Tag::CodeBlock(_) | Tag::MetadataBlock(_) => {
                self.flush();
                self.skipped += 1;
            }
            Tag::Link {
                dest_url,
                link_type,
                ..
            } => {
                let target = match link_type {
                    LinkType::Email => format!("mailto:{dest_url}"),
                    _ => dest_url.to_string(),
                };
                self.links.push(Link {
                    target,
                    text: String::new(),
                    line,
                });
            }
            // Its text is a description; an image without one is still something to see.
            Tag::Image { dest_url, .. } => {
                self.content();
                self.links.push(Link {
                    target: dest_url.to_string(),
                    text: "image".to_owned(),
                    line,
                });
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(_) => {
                if let Some(heading) = self.heading.take() {
                    let above = |at: &usize| self.outline.headings[*at].level < heading.level;
                    let kept = self.open.iter().take_while(|at| above(at)).count();
                    self.open.truncate(kept);
                    self.open.push(self.outline.headings.len());
                    self.outline.headings.push(heading);
                }
            }
            TagEnd::Paragraph => {
                self.flush();
                self.in_paragraph = false;
            }
            TagEnd::Item => {
                self.flush();
                self.in_item = self.in_item.saturating_sub(1);
            }
            TagEnd::TableCell | TagEnd::FootnoteDefinition => self.flush(),
            TagEnd::CodeBlock | TagEnd::MetadataBlock(_) => {
                self.skipped = self.skipped.saturating_sub(1);
            }
            TagEnd::Link | TagEnd::Image => {
                if let Some(link) = self.links.pop() {
                    self.name_link(&link.text);
                    self.outline.links.push(link);
                }
            }
            _ => {}
        }
    }

    fn text(&mut self, text: &str, line: usize) {
        if !text.trim().is_empty() && self.heading.is_none() {
            self.content();
        }
        if self.links.is_empty() {
            collect_urls(text, line, &mut self.outline.bare_urls);
        }
        self.push(text, line);
    }

    /// Words of the innermost link, as far as a message shows them.
    fn name_link(&mut self, text: &str) {
        if let Some(link) = self.links.last_mut() {
            let left = SHOWN_CHARS.saturating_sub(link.text.chars().count());
            link.text.extend(text.chars().take(left));
        }
    }

    fn push(&mut self, text: &str, line: usize) {
        self.name_link(text);
        if let Some(heading) = &mut self.heading {
            heading.text.push_str(text);
            return;
        }
        if self.prose.is_empty() {
            self.prose_line = line;
        }
        self.prose.push_str(text);
    }

    /// Something stands below the headings that are open here.
    fn content(&mut self) {
        for at in self.open.iter().rev() {
            let heading = &mut self.outline.headings[*at];
            // Those above it were told when it was.
            if heading.has_content {
                break;
            }
            heading.has_content = true;
        }
    }

    fn flush(&mut self) {
        let text = std::mem::take(&mut self.prose);
        if !text.trim().is_empty() {
            self.outline.blocks.push(Block {
                text,
                line: self.prose_line,
                is_paragraph: self.in_paragraph,
            });
        }
    }

    fn finish(mut self) -> Outline {
        self.flush();
        let mut seen: HashMap<String, usize> = HashMap::new();
        for heading in &self.outline.headings {
            let slug = slug(&heading.text);
            let count = seen.entry(slug.clone()).or_default();
            let name = match *count {
                0 => slug,
                repeated => format!("{slug}-{repeated}"),
            };
            *count += 1;
            self.outline.anchors.insert(name);
        }
        self.outline
    }
}

fn depth(level: HeadingLevel) -> u8 {
    match level {
        HeadingLevel::H1 => 1,
        HeadingLevel::H2 => 2,
        HeadingLevel::H3 => 3,
        HeadingLevel::H4 => 4,
        HeadingLevel::H5 => 5,
        HeadingLevel::H6 => 6,
    }
}

/// The anchor that a heading gets, by the rule that most renderers share: lower case, spaces as
/// hyphens, no punctuation but `-` and `_`.
pub(super) fn slug(heading: &str) -> String {
    heading
        .trim()
        .chars()
        .flat_map(char::to_lowercase)
        .filter_map(|c| match c {
            ' ' | '-' => Some('-'),
            c if c.is_alphanumeric() || c == '_' => Some(c),
            _ => None,
        })
        .collect()
}

/// The values of `id` and `name` in a piece of HTML.
fn collect_anchors(html: &str, anchors: &mut HashSet<String>) {
    for key in ["id=", "name="] {
        for (at, _) in html.match_indices(key) {
            let rest = &html[at + key.len()..];
            let Some(quote) = rest.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
                continue;
            };
            if let Some((value, _)) = rest[1..].split_once(quote) {
                anchors.insert(value.to_owned());
            }
        }
    }
}

fn collect_urls(text: &str, line: usize, urls: &mut Vec<Place>) {
    let mut rest = text;
    while let Some(at) = rest.find("http") {
        rest = &rest[at..];
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let (url, behind) = rest.split_at(end);
        let host = url
            .strip_prefix("http://")
            .or_else(|| url.strip_prefix("https://"));
        if host.is_some_and(|host| !host.is_empty()) {
            urls.push(Place {
                text: url.chars().take(SHOWN_CHARS).collect(),
                line,
            });
            rest = behind;
        } else {
            rest = &rest["http".len()..];
        }
    }
}

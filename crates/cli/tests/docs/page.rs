//! A page of documentation as a list of blocks. Fences say what a block is for:
//! `yaml file=NAME` is written to the folder, `sh run` is run, `sh run exit=N` must end with that
//! code, `sh run postgres` is run where there is a server, `text output` right after it is what it
//! prints. In an output the line `…` stands for any lines.

pub(crate) enum Block {
    File {
        name: String,
        text: String,
    },
    Run {
        line: usize,
        script: String,
        exit: i32,
        postgres: bool,
        output: Option<String>,
    },
}

pub(crate) struct Page {
    pub(crate) blocks: Vec<Block>,
}

impl Page {
    pub(crate) fn read(text: &str) -> Self {
        let mut blocks = Vec::new();
        let mut lines = (1..).zip(text.lines());
        while let Some((line, fence)) = lines.next() {
            let Some(info) = fence.strip_prefix("```") else {
                continue;
            };
            let body = lines.by_ref().map(|(_, line)| line);
            let body: Vec<&str> = body.take_while(|line| *line != "```").collect();
            let text = body.join("\n") + "\n";
            let words: Vec<&str> = info.split(' ').collect();
            let value = |key: &str| words.iter().find_map(|word| word.strip_prefix(key));
            if let Some(name) = value("file=") {
                let name = name.to_owned();
                blocks.push(Block::File { name, text });
            } else if words.starts_with(&["sh", "run"]) {
                blocks.push(Block::Run {
                    line,
                    script: text,
                    exit: value("exit=").map_or(0, |code| code.parse().unwrap()),
                    postgres: words.contains(&"postgres"),
                    output: None,
                });
            } else if words == ["text", "output"] {
                match blocks.last_mut() {
                    Some(Block::Run { output, .. }) if output.is_none() => *output = Some(text),
                    _ => panic!("line {line}: an output that belongs to no command"),
                }
            }
        }
        Self { blocks }
    }

    /// The text of the file block called `name`.
    pub(crate) fn file(&self, name: &str) -> Option<&str> {
        self.blocks.iter().find_map(|block| match block {
            Block::File { name: other, text } if other == name => Some(text.as_str()),
            Block::File { .. } | Block::Run { .. } => None,
        })
    }
}

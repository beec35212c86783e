//! The table of routes: each entry is an operation as data with its handler. The router, the OpenAPI
//! document, the page of documentation and the isolation tests all come from it, so a route that is
//! not in it does not exist.
use axum::{
    handler::Handler,
    routing::{MethodFilter, MethodRouter, on},
};
use runstone_api::{
    Access, Code, Operation,
    operation::{Answer, Body},
};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};

use crate::App;

/// One entry of the table.
pub struct Route {
    /// What it is, as data.
    pub operation: Operation,
    pub(crate) handler: MethodRouter<App>,
}

macro_rules! methods {
    ($($name:ident $filter:ident $text:literal;)+) => {$(
        #[doc = concat!("`", $text, "` of a path below `/api/v1`.")]
        #[must_use]
        pub fn $name<H, T>(path: &str, id: &'static str, access: Access, handler: H) -> Self
        where
            H: Handler<T, App>,
            T: 'static,
        {
            Self {
                operation: Operation::new($text, path, id, access),
                handler: on(MethodFilter::$filter, handler),
            }
        }
    )+};
}

impl Route {
    methods! {
        get GET "GET";
        post POST "POST";
        put PUT "PUT";
        patch PATCH "PATCH";
        delete DELETE "DELETE";
    }

    /// `GET` of exactly this path, open to `access`.
    #[must_use]
    pub fn system<H, T>(path: &str, id: &'static str, access: Access, handler: H) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        Self {
            operation: Operation::outside("GET", path, id, access),
            handler: on(MethodFilter::GET, handler),
        }
    }

    /// What it does, in one line.
    #[must_use]
    pub fn summary(mut self, summary: &'static str) -> Self {
        self.operation.summary = summary;
        self
    }

    /// What is worth knowing besides.
    #[must_use]
    pub fn describe(mut self, description: &'static str) -> Self {
        self.operation.description = description;
        self
    }

    /// It reads these query parameters; the handler takes `Query<T>`.
    #[must_use]
    pub fn query<T: IntoParams>(mut self) -> Self {
        self.operation.add_query::<T>();
        self
    }

    /// It reads this header.
    #[must_use]
    pub fn header(mut self, name: &'static str, required: bool, text: &'static str) -> Self {
        self.operation.headers.push((name, required, text));
        self
    }

    /// The handler takes an `Idempotency-Key`: what it makes is made once.
    #[must_use]
    pub fn once(self) -> Self {
        let text = "1 to 200 characters; for 24 h the same request with it makes nothing new.";
        self.header("Idempotency-Key", false, text)
    }

    /// Its answer carries an `ETag`; who sends that in `If-None-Match` is only told that it is the
    /// same (`http/unchanged.rs`).
    #[must_use]
    pub fn etag(self) -> Self {
        let text = "ETags that were given; the same is answered with 304.";
        self.header("If-None-Match", false, text)
            .empty(304, "It is the same.")
    }

    /// It reads this body; the handler takes `Body<T>`. The example is sent by a test.
    #[must_use]
    pub fn body<T: ToSchema>(mut self, example: Value) -> Self {
        self.operation.refer::<T>();
        self.operation.body = Some(Body {
            schema: T::name().into_owned(),
            example: (!example.is_null()).then_some(example),
        });
        self
    }

    /// It answers a `T` as JSON.
    #[must_use]
    pub fn answers<T: ToSchema>(mut self, status: u16, description: &'static str) -> Self {
        let schema = self.operation.refer::<T>();
        self.operation.answers.push(Answer {
            status,
            description,
            content: Some(("application/json", schema)),
        });
        self
    }

    /// It answers a page of `T`: `{items, next_cursor, total}`.
    #[must_use]
    pub fn page<T: ToSchema>(mut self) -> Self {
        let item = self.operation.refer::<T>();
        self.operation.answers.push(Answer {
            status: 200,
            description: "One page; `next_cursor` is there when there are more.",
            content: Some((
                "application/json",
                json!({
                    "type": "object",
                    "required": ["items"],
                    "properties": {
                        "items": { "type": "array", "items": item },
                        "next_cursor": { "type": "string" },
                        "total": { "type": "integer", "format": "int64", "minimum": 0 },
                    },
                }),
            )),
        });
        self
    }

    /// It can fail in these ways, which do not follow from its shape.
    #[must_use]
    pub fn fails(mut self, codes: &[Code]) -> Self {
        self.operation.fails.extend(codes);
        self
    }

    /// It answers without a body.
    #[must_use]
    pub fn empty(mut self, status: u16, description: &'static str) -> Self {
        self.operation.answers.push(Answer {
            status,
            description,
            content: None,
        });
        self
    }

    /// It answers in another form than JSON.
    #[must_use]
    pub fn media(mut self, status: u16, media: &'static str, description: &'static str) -> Self {
        self.operation.answers.push(Answer {
            status,
            description,
            content: Some((media, json!({ "type": "string" }))),
        });
        self
    }

    /// The handler bounds how long it takes: the time limit of requests is not for it.
    #[must_use]
    pub fn unhurried(mut self) -> Self {
        self.operation.unhurried = true;
        self
    }

    /// It also reaches deleted projects.
    #[must_use]
    pub fn reaches_deleted(mut self) -> Self {
        self.operation.reaches_deleted = true;
        self
    }
}

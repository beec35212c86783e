//! An issuer of tokens of a test's own: discovery, its keys, which it may change, and tokens signed
//! by them.
use std::sync::{Arc, Mutex};

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
    },
};
use axum::{Json, Router, routing::get};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use serde_json::{Value, json};

/// A key of an issuer.
enum Signer {
    Es256(Box<EcdsaKeyPair>),
    Rs256(Box<RsaKeyPair>),
}

impl Signer {
    fn es256() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        Self::Es256(Box::new(pair))
    }

    fn rs256() -> Self {
        Self::Rs256(Box::new(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()))
    }

    /// As the issuer publishes it.
    fn jwk(&self, kid: &str) -> Value {
        match self {
            Self::Es256(pair) => {
                // An uncompressed point: a mark, then both coordinates.
                let point = pair.public_key().as_ref();
                let (x, y) = (BASE64.encode(&point[1..33]), BASE64.encode(&point[33..]));
                json!({ "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": kid,
                        "x": x, "y": y })
            }
            Self::Rs256(pair) => {
                // DER: a sequence of two integers, the first of 256 bytes after a zero.
                let public = pair.public_key().as_ref();
                let n = BASE64.encode(&public[9..265]);
                json!({ "kty": "RSA", "alg": "RS256", "use": "sig", "kid": kid, "n": n,
                        "e": "AQAB" })
            }
        }
    }

    fn sign(&self, text: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Es256(pair) => pair.sign(&random, text).unwrap().as_ref().to_vec(),
            Self::Rs256(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                let done = pair.sign(&RSA_PKCS1_SHA256, &random, text, &mut signature);
                done.unwrap();
                signature
            }
        }
    }

    fn algorithm(&self) -> &'static str {
        match self {
            Self::Es256(_) => "ES256",
            Self::Rs256(_) => "RS256",
        }
    }
}

/// An issuer that answers.
pub(crate) struct Issuer {
    pub(crate) url: String,
    signer: Signer,
    kid: String,
    published: Arc<Mutex<Value>>,
}

/// A part of a token.
fn part(value: &Value) -> String {
    BASE64.encode(value.to_string())
}

impl Issuer {
    pub(crate) async fn start() -> Self {
        Self::with(Signer::es256()).await
    }

    pub(crate) async fn with_rsa() -> Self {
        Self::with(Signer::rs256()).await
    }

    async fn with(signer: Signer) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let kid = "one".to_owned();
        let published = Arc::new(Mutex::new(json!({ "keys": [signer.jwk(&kid)] })));
        let about = json!({ "issuer": url, "jwks_uri": format!("{url}/keys") });
        let keys = Arc::clone(&published);
        let router = Router::new()
            .route(
                "/.well-known/openid-configuration",
                get(async move || Json(about)),
            )
            .route(
                "/keys",
                get(async move || Json(keys.lock().unwrap().clone())),
            );
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            url,
            signer,
            kid,
            published,
        }
    }

    /// Signs with another key from now on, and publishes only that one.
    pub(crate) fn rotate(&mut self, kid: &str) {
        self.signer = Signer::es256();
        self.kid = kid.to_owned();
        *self.published.lock().unwrap() = json!({ "keys": [self.signer.jwk(kid)] });
    }

    /// A token that the issuer signed.
    pub(crate) fn token(&self, claims: &Value) -> String {
        self.token_as(self.signer.algorithm(), claims)
    }

    /// The same, saying that it was signed in that way.
    pub(crate) fn token_as(&self, algorithm: &str, claims: &Value) -> String {
        let header = json!({ "typ": "JWT", "alg": algorithm, "kid": self.kid });
        let signed = format!("{}.{}", part(&header), part(claims));
        let signature = self.signer.sign(signed.as_bytes());
        format!("{signed}.{}", BASE64.encode(signature))
    }

    /// A token that somebody made who knows no more than the public key: signed with it as if it
    /// were a shared secret.
    pub(crate) fn forged_with_the_public_key(&self, claims: &Value) -> String {
        let header = json!({ "typ": "JWT", "alg": "HS256", "kid": self.kid });
        let signed = format!("{}.{}", part(&header), part(claims));
        let public = self.published.lock().unwrap()["keys"][0].to_string();
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, public.as_bytes());
        let signature = aws_lc_rs::hmac::sign(&key, signed.as_bytes());
        format!("{signed}.{}", BASE64.encode(signature))
    }
}

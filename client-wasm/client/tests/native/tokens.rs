//! Tokens from the application's closure.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use everwire_client::{ConnectionState, Options, Subscribe, protocol::ErrorCode};
use everwire_server::{
    auth::token::{Claims, TokenKey},
    config::Config,
    environment::wall_ms,
};

use crate::kit::{connect, next, serve};

const SECRET: &str = "the secret of the tests";

fn signed(config: &mut Config) {
    config.dev = false;
    config.key = Some(TokenKey::new(SECRET).unwrap());
}

fn token(secret: &str, valid_s: u64) -> String {
    let iat = wall_ms() / 1_000;
    let claims = Claims {
        sub: "ada".into(),
        name: None,
        exp: iat + valid_s,
        iat: Some(iat.into()),
        jti: None,
        nbf: None,
        grants: vec!["private-log".into()],
    };
    TokenKey::new(secret).unwrap().make(&claims).unwrap()
}

#[tokio::test]
async fn the_closure_is_asked_again_after_it_failed() {
    let server = serve(signed).await;
    let asked = Arc::new(AtomicU32::new(0));
    let count = asked.clone();
    let client = connect(Options::new(server.url()).token(move || {
        let first = count.fetch_add(1, Ordering::Relaxed) == 0;
        async move { if first { Err("the back end is down") } else { Ok(token(SECRET, 600)) } }
    }));
    let mut errors = client.errors();
    let channel = client.channel::<u32>("private-log").unwrap();
    let subscription = channel.subscribe(Subscribe::live()).await.unwrap();
    let error = next(&mut errors, Some).await;
    assert_eq!(error.code(), Some("token_failed"));
    assert!(error.to_string().contains("the back end is down"), "{error}");
    assert_eq!((client.user().as_deref(), asked.load(Ordering::Relaxed)), (Some("ada"), 2));
    drop(subscription);
}

#[tokio::test]
async fn a_token_that_expires_is_replaced_on_the_same_connection() {
    let server = serve(signed).await;
    let asked = Arc::new(AtomicU32::new(0));
    let count = asked.clone();
    // Shorter than the 30 seconds before its end at which the next one is asked for.
    let client = connect(Options::new(server.url()).token(move || {
        count.fetch_add(1, Ordering::Relaxed);
        async { Ok::<_, std::io::Error>(token(SECRET, 33)) }
    }));
    let channel = client.channel::<u32>("private-log").unwrap();
    let subscription = channel.subscribe(Subscribe::live()).await.unwrap();
    let connection = client.connection().unwrap();
    tokio::time::timeout(crate::kit::PATIENCE, async {
        while asked.load(Ordering::Relaxed) < 2 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    })
    .await
    .unwrap();
    channel.send(&1).await.unwrap();
    assert_eq!(client.connection(), Some(connection));
    drop(subscription);
}

#[tokio::test]
async fn a_constant_token_that_is_refused_ends_the_client_with_its_code() {
    let server = serve(signed).await;
    let client = connect(Options::new(server.url()).constant_token(token("another secret of tests", 600)));
    let channel = client.channel::<u32>("private-log").unwrap();
    let error = channel.subscribe(Subscribe::live()).await.unwrap_err();
    assert_eq!(error.code(), Some("unauthorized"), "{error:?}");
    let mut states = client.states();
    let code = next(&mut states, |state| match state {
        ConnectionState::Closed { code, .. } => Some(code),
        _ => None,
    })
    .await;
    assert_eq!(code, Some(ErrorCode::Unauthorized));
}

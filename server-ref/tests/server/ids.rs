//! Ids: any text without control characters is the id of a user, everywhere; an id of a message names one entry of a log.

use axum::http::{Method, StatusCode};
use everwire_protocol::{
    Action, ChatKind, ClientFrame, CreateChat, ErrorCode, ServerFrame, channels::user_channel,
    user_id::encode_user,
};
use everwire_server::api::ApiKey;
use serde_json::{Value, json};

use super::kit::{Client, act, hello_with, http::Http, key, new_id, send, serve, subscribe, token};

const KEY: &str = "the key of the tests";

#[tokio::test]
async fn any_user_id_works_on_every_way() {
    let served = serve(|config| {
        config.dev = false;
        config.key = Some(key());
        config.api_key = Some(ApiKey::new(KEY).unwrap());
    })
    .await;
    let http = Http::to(served.address());
    let headers = [("authorization", &*format!("Bearer {KEY}")), ("content-type", "application/json")];
    let longest = "é".repeat(64);
    let ids = ["7", "auth0|5f7c", "ann+x@y.z", "Zoë", "=", "=Nw", "a/b?c#d%41", "two words", "🦊", &*longest];
    for user in ids {
        let mut client = Client::open(served.address()).await;
        client.say(&[hello_with(Some(&token(user, 60, &[])), new_id())]).await;
        assert_eq!(client.welcome().await.user, user);
        let own = user_channel(user).unwrap();
        client.join(subscribe(own.as_str())).await;
        client.join(subscribe("presence-users")).await;
        // A chat with another such user.
        let id = new_id();
        let users = vec!["Zoë|2".to_owned()];
        let create = CreateChat { id, kind: ChatKind::Direct, title: None, open: None, users };
        client.say(&[ClientFrame::from(create)]).await;
        let chat = client
            .find(|frame| match frame {
                ServerFrame::Done(done) if done.id == id => done.chat,
                _ => None,
            })
            .await;
        assert_eq!(chat.members[0].user, user);
        // The back end reaches the user, by the id in a body and by both forms in a path.
        let body = json!({ "to": { "user": user }, "data": "hello" }).to_string();
        let (status, _, body) = http.request(Method::POST, "/api/v1/publish", &headers, body).await;
        assert_eq!(status, StatusCode::OK, "{user}: {body}");
        let message = client
            .find(|frame| match frame {
                ServerFrame::Message(message) => Some(message),
                _ => None,
            })
            .await;
        assert_eq!(message.channel, own, "{user}");
        let mut paths = vec![encode_user(user).into_owned()];
        if !user.starts_with('=') {
            let escaped: Vec<String> = user.bytes().map(|byte| format!("%{byte:02X}")).collect();
            paths.push(escaped.concat());
        }
        for path in paths {
            let path = format!("/api/v1/users/{path}/status");
            let (status, _, body) = http.request(Method::GET, &path, &headers, "").await;
            assert_eq!(status, StatusCode::OK, "{path}: {body}");
            let body: Value = serde_json::from_str(&body).unwrap();
            assert_eq!((&body["user"], &body["status"]), (&json!(user), &json!("online")), "{path}");
        }
    }
    // A form that encodes no id, or an id that needs no encoding, belongs to nobody.
    let mut seven = Client::open(served.address()).await;
    seven.say(&[hello_with(Some(&token("7", 60, &["*"])), new_id())]).await;
    seven.welcome().await;
    for name in ["private-user.=Nw", "private-user.=", "private-user.=Wm_Dqw"] {
        seven.say(&[subscribe(name)]).await;
        let ServerFrame::Unsubscribed(refused) = seven.next().await else { panic!("{name} was not refused") };
        assert_eq!(refused.code, Some(ErrorCode::Forbidden.into()), "{name}");
    }
    let (status, _, _) = http.request(Method::GET, "/api/v1/users/=Nw/status", &headers, "").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    served.server.stop().await;
}

#[tokio::test]
async fn nobody_changes_a_message_by_sending_with_its_id() {
    let served = serve(|_| {}).await;
    let mut ann = Client::connect(served.address(), "ann").await;
    let mut eve = Client::connect(served.address(), "eve").await;
    let id = new_id();
    ann.say(&[send(id, "news", "mine")]).await;
    ann.ack().await;
    // Apart from the original, and in one batch with an edit of what would be eve's.
    eve.say(&[send(id, "news", "forged")]).await;
    assert_eq!(eve.error().await.code, ErrorCode::IdReused);
    eve.say(&[
        send(id, "news", "forged"),
        act(new_id(), "news", Action::Edit, id, "changed"),
        act(new_id(), "news", Action::Delete, id, ""),
    ])
    .await;
    let codes = [eve.error().await.code, eve.error().await.code, eve.error().await.code];
    assert_eq!(codes, [ErrorCode::IdReused, ErrorCode::Forbidden, ErrorCode::Forbidden]);
    // In another channel the id is free, and ann's copies and deletion are not affected.
    eve.say(&[send(id, "other", "elsewhere")]).await;
    eve.ack().await;
    ann.say(&[send(id, "news", "mine"), act(new_id(), "news", Action::Delete, id, "")]).await;
    assert_eq!(ann.ack().await.offset, 1);
    assert_eq!(ann.ack().await.offset, 2);
    served.server.stop().await;
}

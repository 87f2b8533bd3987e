//! The real program: what survives its death, and what it says to its operator.

use everwire_protocol::{CloseCode, ServerFrame};

use super::kit::{
    Client, Ended, channel, hello,
    http::{Http, poll, polled},
    new_id,
    program::{Program, run},
    resume, send, subscribe, text_of,
};

#[tokio::test]
async fn an_acked_message_survives_kill_9_and_a_resend_gets_the_same_ack() {
    let directory = tempfile::tempdir().unwrap();
    let database = directory.path().join("everwire.db");
    let mut acks = Vec::new();
    let mut epoch = None;
    for round in 0..3 {
        let program = Program::start(&database, &[]);
        let mut client = Client::connect(program.address, "a").await;
        let at = client.join(subscribe("news")).await;
        assert_eq!(*epoch.get_or_insert(at.epoch.clone()), at.epoch);
        assert_eq!(at.head, acks.len() as u64);
        for n in 0..20 {
            let (id, text) = (new_id(), format!("{round}:{n}"));
            client.say(&[send(id, "news", &text)]).await;
            acks.push((client.ack().await, text));
        }
        program.kill();
    }
    let program = Program::start(&database, &[]);
    let mut client = Client::connect(program.address, "a").await;
    for (ack, text) in &acks {
        client.say(&[send(ack.id, "news", text)]).await;
        assert_eq!(client.ack().await, *ack);
    }
    let at = client.join(resume("news", &epoch.unwrap(), 0)).await;
    assert_eq!((at.head, at.gap), (acks.len() as u64, None));
    for (ack, text) in &acks {
        let message = client.message().await;
        assert_eq!((message.id, message.offset, &text_of(&message)), (ack.id, ack.offset, text));
    }
    assert_eq!(client.settle().await, []);
}

#[tokio::test]
async fn a_poll_goes_on_after_a_restart_and_another_user_cannot_take_the_session() {
    let directory = tempfile::tempdir().unwrap();
    let database = directory.path().join("everwire.db");
    let program = Program::start(&database, &[]);
    let (http, session) = (Http::to(program.address), new_id());
    let (_, frames) = polled(http.post(&[hello("a", session), poll(None, 0, 0), subscribe("news")]).await);
    let (ServerFrame::Welcome(welcome), ServerFrame::Subscribed(at)) = (&frames[0], &frames[1]) else {
        panic!()
    };
    http.post(&[hello("a", session), send(new_id(), "news", "before")]).await;
    program.kill();
    let program = Program::start(&database, &[]);
    let http = Http::to(program.address);
    let again =
        [hello("a", session), poll(Some(welcome.connection), 1, 25_000), resume("news", &at.epoch, 0)];
    let (seq, frames) = polled(http.post(&again).await);
    assert_eq!(seq, 1);
    let [ServerFrame::Welcome(_), ServerFrame::Subscribed(_), ServerFrame::Message(message)] = &frames[..]
    else {
        panic!("{frames:?}")
    };
    assert_eq!((message.channel.clone(), text_of(message)), (channel("news"), "before".into()));
    let other = http.post(&[hello("b", session), send(new_id(), "news", "x")]).await;
    assert!(
        matches!(&other[..], [ServerFrame::Error(e)] if e.code.as_str() == "session_mismatch"),
        "{other:?}"
    );
}

#[tokio::test]
async fn sigterm_and_ctrl_c_say_goaway_and_end_with_success() {
    for name in ["TERM", "INT"] {
        let directory = tempfile::tempdir().unwrap();
        let database = directory.path().join("everwire.db");
        let mut program = Program::start(&database, &["--goaway-delay-ms", "11", "--goaway-spread-ms", "22"]);
        let mut client = Client::connect(program.address, "a").await;
        program.signal(name);
        let (frames, ended) = client.until_it_ends().await;
        assert!(frames.iter().any(|frame| matches!(frame, ServerFrame::Goaway(g) if g.spread_ms == 22)));
        assert_eq!(ended, Ended::Code(CloseCode::GoingAway.as_u16()));
        assert!(program.ended().success());
    }
}

fn one_sentence(arguments: &[&str], words: &[&str]) {
    let (success, out, err) = run(arguments);
    assert!(!success && out.is_empty(), "{out}");
    assert_eq!(err.lines().count(), 1, "{err}");
    for word in words {
        assert!(err.contains(word), "{word} is not in {err}");
    }
}

#[test]
fn what_keeps_it_from_starting_is_one_sentence() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let (good, missing, no_database) = (path("good.db"), path("missing/everwire.db"), path("text.db"));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let busy = listener.local_addr().unwrap().to_string();
    let start = |database: &str, listen: &str, words: &[&str]| {
        one_sentence(&["--dev", "--listen", listen, "--database", database], words);
    };
    start(&good, &busy, &[&busy, "the port is in use", "--listen"]);
    start(&missing, "127.0.0.1:0", &["missing", "does not exist"]);
    start(directory.path().to_str().unwrap(), "127.0.0.1:0", &["is a directory"]);
    start("/proc/everwire.db", "127.0.0.1:0", &["/proc/everwire.db", "cannot open"]);
    std::fs::write(
        &no_database,
        "this is not a database, but a text that is long enough to be looked at".repeat(20),
    )
    .unwrap();
    start(&no_database, "127.0.0.1:0", &["text.db", "not a database"]);
    one_sentence(&["--listen", "127.0.0.1:0", "--database", &good], &["EVERWIRE_JWT_SECRET", "--dev"]);
    let program = Program::start(std::path::Path::new(&good), &[]);
    start(&good, "127.0.0.1:0", &["another everwire-server"]);
    program.kill();
}

#[test]
fn a_token_can_be_made_for_trying_out() {
    let (success, token, err) = run(&["token", "--user", "a", "--jwt-secret", super::kit::SECRET]);
    assert!(success, "{err}");
    assert_eq!(token.trim().split('.').count(), 3);
    let (success, _, err) = run(&["token", "--user", "a"]);
    assert!(!success && err.contains("EVERWIRE_JWT_SECRET"), "{err}");
}

//! Who is present in a channel, over the death and the stop of the server.

use std::path::Path;

use everwire_protocol::{Bye, ServerFrame};
use everwire_server::{config::Config, server::Server};

use super::kit::{
    Client,
    program::{Program, stored},
    subscribe,
};

const HALL: &str = "presence-hall";

async fn written(database: &Path, users: &[&str]) {
    stored(database, "SELECT user FROM attendance ORDER BY user", users).await;
}

async fn enter(address: std::net::SocketAddr, user: &str) -> (Client, Vec<String>) {
    let mut client = Client::connect(address, user).await;
    let members = client.join(subscribe(HALL)).await.members.unwrap();
    (client, members.into_iter().map(|member| member.user).collect())
}

fn told(frame: ServerFrame) -> Option<String> {
    match frame {
        ServerFrame::MemberJoined(joined) => Some(format!("+{}", joined.member.user)),
        ServerFrame::MemberLeft(left) => Some(format!("-{}", left.user)),
        _ => None,
    }
}

#[tokio::test]
async fn over_kill_9_and_a_restart_only_those_leave_who_do_not_come_back_and_they_once() {
    for signal in ["KILL", "TERM"] {
        let directory = tempfile::tempdir().unwrap();
        let database = directory.path().join("everwire.db");
        let mut program = Program::start(&database, &["--goaway-delay-ms", "0", "--goaway-spread-ms", "0"]);
        let (mut gone, _) = enter(program.address, "gone").await;
        let mut before = Vec::new();
        for user in ["a", "b", "w"] {
            before.push(enter(program.address, user).await.0);
        }
        written(&database, &["a", "b", "gone", "w"]).await;
        gone.say(&[Bye {}.into()]).await;
        written(&database, &["a", "b", "w"]).await;
        program.signal(signal);
        for client in &mut before {
            client.until_it_ends().await;
        }
        program.ended();
        // Without a grace of its own, they have the time that coming back after a planned restart takes.
        let mut config = Config::dev(database.clone());
        (config.leave_grace_ms, config.goaway_delay_ms, config.goaway_spread_ms) = (0, 0, 0);
        let server = Server::start(config).await.unwrap();
        let (mut w, members) = enter(server.address(), "w").await;
        assert_eq!(members, ["a", "b", "w"], "after {signal}");
        let (a, members) = enter(server.address(), "a").await;
        assert_eq!(members, ["a", "b", "w"]);
        assert_eq!(w.settle().await, [], "nobody has come");
        assert_eq!(w.find(told).await, "-b");
        assert_eq!(w.settle().await, [], "and nobody else has left");
        written(&database, &["a", "w"]).await;
        let (_b, members) = enter(server.address(), "b").await;
        assert_eq!(members, ["a", "b", "w"]);
        assert_eq!(w.find(told).await, "+b");
        drop(a);
        assert_eq!(w.find(told).await, "-a");
        written(&database, &["b", "w"]).await;
        server.stop().await;
    }
}

//! Health, and a server whose log nobody reads.

use std::{
    io::{BufRead, BufReader, Read},
    process::Stdio,
};

use everwire_protocol::Goaway;

use super::kit::{
    Client, PATIENCE,
    http::Http,
    program::{command, exited},
    serve, subscribe,
};

#[tokio::test]
async fn ready_says_whether_messages_can_be_stored_and_alive_says_nothing_else() {
    let served = serve(|_| {}).await;
    let http = Http::to(served.address());
    for path in ["/readyz", "/healthz"] {
        let (status, _, body) = http.get(path).await;
        assert_eq!(status, 200, "{body}");
        for field in [r#""status":"ok""#, r#""writable":true"#, r#""last_commit_ms":"#, r#""free_bytes":"#] {
            assert!(body.contains(field), "{field} is not in {body}");
        }
    }
    assert_eq!(http.get("/livez").await.0, 200);
    served.server.stop().await;

    let served = serve(|config| config.min_free_bytes = u64::MAX).await;
    let http = Http::to(served.address());
    let (status, _, body) = http.get("/readyz").await;
    assert!(status == 503 && body.contains("degraded") && body.contains("--min-free-bytes"), "{body}");
    assert_eq!(http.get("/livez").await.0, 200, "a restart would not help");
    served.server.stop().await;

    let served = serve(|_| {}).await;
    let http = Http::to(served.address());
    let goaway = Goaway { delay_ms: 0, spread_ms: 0, reason: "restart".into() };
    served.server.node().stopping.send_replace(Some(goaway));
    let (status, _, body) = http.get("/readyz").await;
    assert!(status == 503 && body.contains(r#""status":"stopping""#), "{body}");
    assert_eq!(http.get("/livez").await.0, 200, "it ends its connections in peace");
    served.server.stop().await;
}

#[tokio::test]
async fn a_server_whose_log_nobody_reads_serves_and_ends_when_it_is_told_to() {
    let directory = tempfile::tempdir().unwrap();
    let database = directory.path().join("everwire.db");
    let database = database.to_str().unwrap();
    let arguments = ["--dev", "--listen", "127.0.0.1:0", "--database", database, "--log", "trace"];
    let mut child = command(&arguments).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().rsplit('/').next().unwrap().parse().unwrap();
    let http = Http::to(address);
    // A pipe holds 64 KiB; the log of a few hundred connections is more than that and the queue together.
    let dropped = async {
        for n in 0.. {
            // A user may not connect as often as this takes.
            let mut client = Client::connect(address, &format!("user-{n}")).await;
            client.join(subscribe("news")).await;
            client.chat("news", "text").await;
            let (status, _, body) = http.get("/stats").await;
            assert_eq!(status, 200);
            if !body.contains(r#""log_lines_dropped":0"#) {
                return;
            }
        }
    };
    tokio::time::timeout(6 * PATIENCE, dropped).await.expect("nothing was dropped");
    assert_eq!(http.get("/readyz").await.0, 200);
    let mut client = Client::connect(address, "b").await;
    client.join(subscribe("news")).await;
    let pid = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-s", "TERM", &pid]).status().unwrap().success());
    assert!(exited(&mut child).success());
    let mut log = Vec::new();
    child.stderr.take().unwrap().read_to_end(&mut log).unwrap();
    assert!(!log.is_empty(), "what the pipe could hold was written");
}

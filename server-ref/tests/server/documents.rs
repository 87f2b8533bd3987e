//! What the documents tell operators to do works as printed: the commands are understood, and pages reach the server through
//! the proxy configurations. Proxies that are not installed are left out.

use std::{
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use axum::{body::Body, http::Method};
use clap::Parser as _;
use everwire_protocol::SUBPROTOCOL;
use everwire_server::{config::Options, transports::Origins};
use tempfile::TempDir;
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{client::IntoClientRequest, http::HeaderValue},
};

use super::kit::{PATIENCE, hello, http::Http, new_id, serve};

const OPERATIONS: &str = include_str!("../../../docs/operations.md");
const COMING_FROM: &str = include_str!("../../../docs/coming-from.md");

/// The address in the documents.
const PRINTED: &str = "127.0.0.1:8787";

/// The first code block of a language.
fn block(language: &str) -> String {
    let fence = format!("```{language}\n");
    let (_, rest) = OPERATIONS.split_once(&fence).expect(language);
    rest.split_once("```").unwrap().0.to_owned()
}

/// The command lines of the server in the documents, as their words.
fn commands() -> Vec<Vec<String>> {
    let text = [OPERATIONS, COMING_FROM].concat().replace("\\\n", " ");
    let lines = text.lines().filter_map(|line| {
        let command = if line.starts_with("    ") || line.starts_with("EVERWIRE_") { line } else { "" };
        command.find("everwire-server ").map(|at| &command[at..])
    });
    let inline =
        text.split('`').filter(|code| code.starts_with("everwire-server ") && !code.contains("--help"));
    let words = |command: &str| {
        let command = command.split(" #").next().unwrap_or_default();
        command.split_whitespace().map(|word| word.trim_matches('\'').to_owned()).collect()
    };
    lines.chain(inline).map(words).collect()
}

#[test]
fn the_commands_in_the_documents_are_understood() {
    let commands = commands();
    assert!(commands.len() >= 7, "{commands:?}");
    for command in commands {
        // Flags that a command needs, and that a sentence about it leaves out, are in the line that shows it.
        if command.len() > 2 || command[1].starts_with('-') {
            assert!(Options::try_parse_from(&command).is_ok(), "{command:?}");
        }
    }
}

/// A proxy in front of a server, with a configuration as printed. Stopped when dropped.
struct Proxy {
    child: Child,
    address: SocketAddr,
    _directory: TempDir,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Finds a program by its variable, or where administrators have it.
fn program(name: &str) -> Option<PathBuf> {
    if let Some(path) = std::env::var_os(name.to_uppercase()) {
        return Some(path.into());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let directories = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    let found = directories.map(|directory| directory.join(name)).find(|path| path.is_file());
    if found.is_none() {
        eprintln!("{name} is not installed: its configuration is not tested");
    }
    found
}

fn start(program: &Path, configuration: impl FnOnce(SocketAddr) -> String, arguments: &[&str]) -> Proxy {
    let directory = tempfile::tempdir().unwrap();
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    let file = directory.path().join("proxy.conf");
    std::fs::write(&file, configuration(address)).unwrap();
    drop(free);
    let mut command = Command::new(program);
    command.args(arguments).arg(&file).current_dir(directory.path()).stdin(Stdio::null());
    Proxy { child: command.spawn().unwrap(), address, _directory: directory }
}

fn nginx(server: SocketAddr) -> Option<Proxy> {
    let program = program("nginx")?;
    let configuration = |address: SocketAddr| {
        let block = block("nginx").replace(PRINTED, &server.to_string());
        let block = block.replace("listen 80;", &format!("listen {address};"));
        assert!(block.contains(&address.to_string()) && block.contains(&server.to_string()), "{block}");
        format!(
            "daemon off; master_process off; pid nginx.pid; error_log stderr;\nevents {{}}\nhttp {{ access_log off; \
             client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; \
             scgi_temp_path scgi;\n{block}\n}}\n"
        )
    };
    Some(start(&program, configuration, &["-e", "stderr", "-p", ".", "-c"]))
}

fn haproxy(server: SocketAddr) -> Option<Proxy> {
    let program = program("haproxy")?;
    let configuration = |address: SocketAddr| {
        let block = block("haproxy").replace(PRINTED, &server.to_string());
        let block = block.replace("bind :80", &format!("bind {address}"));
        assert!(block.contains(&address.to_string()) && block.contains(&server.to_string()), "{block}");
        block
    };
    Some(start(&program, configuration, &["-q", "-db", "-f"]))
}

/// What a page does that was loaded from the proxy: it opens a WebSocket, polls, and uses the API.
async fn check(proxy: &Proxy) {
    let address = proxy.address;
    let listening = async {
        while TcpStream::connect(address).await.is_err() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, listening).await.expect("the proxy does not listen");
    let mut request = format!("ws://{address}/everwire/v1/ws").into_client_request().unwrap();
    let headers = request.headers_mut();
    headers.insert("origin", format!("http://{address}").parse().unwrap());
    headers.insert("sec-websocket-protocol", HeaderValue::from_static(SUBPROTOCOL));
    timeout(PATIENCE, connect_async(request)).await.unwrap().expect("the WebSocket opens");
    let http = Http::to(address);
    let origin = format!("http://{address}");
    let text = everwire_protocol::batch::encode(&[hello("a", new_id())]);
    http.post_text(&text, &[("origin", &origin)]).await;
    for path in ["/api/v1/connection-info", "/healthz"] {
        let headers = [("x-everwire-user", "a"), ("x-everwire-name", "A")];
        let (status, _, body) = http.request(Method::GET, path, &headers, Body::empty()).await;
        assert!(status.is_success(), "{path}: {status} {body}");
    }
}

#[tokio::test]
async fn pages_reach_the_server_through_the_printed_nginx_configuration() {
    let served = serve(|config| config.origins = Origins::Listed(Vec::new())).await;
    if let Some(proxy) = nginx(served.address()) {
        check(&proxy).await;
    }
}

#[tokio::test]
async fn pages_reach_the_server_through_the_printed_haproxy_configuration() {
    let served = serve(|config| config.origins = Origins::Listed(Vec::new())).await;
    if let Some(proxy) = haproxy(served.address()) {
        check(&proxy).await;
    }
}

//! A real `mlflow server`.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use super::{Python, text};

/// Attempts to reach a server that starts, one every quarter of a second.
const ATTEMPTS: u32 = 1_200;

/// A server on a free port of this machine, with its database and artifacts in a folder; it ends when this is dropped.
pub struct Server {
    process: Child,
    port: u16,
}

impl Server {
    pub fn start(python: &Python, folder: &Path) -> Self {
        Self::start_with(python, folder, &[], &[])
    }

    /// Starts a server with more arguments and variables, and waits until it answers.
    pub fn start_with(
        python: &Python,
        folder: &Path,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Self {
        let port = free_port();
        let database = format!("sqlite:///{}/mlflow.db", text(folder));
        let artifacts = folder.join("artifacts");
        let log = File::create(folder.join("server.log")).unwrap();
        let mut command = python.command(&["-m", "mlflow", "server", "--host", "127.0.0.1"]);
        command
            .args(["--port", &port.to_string(), "--workers", "1"])
            .args(["--backend-store-uri", &database])
            .args(["--artifacts-destination", text(&artifacts)])
            .args(arguments)
            .current_dir(folder)
            .env("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false")
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .process_group(0);
        let process = command.spawn().unwrap();
        let mut server = Self { process, port };
        server.wait(folder);
        server
    }

    pub fn uri(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The address with a user and a password in it.
    pub fn uri_with(&self, username: &str, password: &str) -> String {
        format!("http://{username}:{password}@127.0.0.1:{}", self.port)
    }

    fn wait(&mut self, folder: &Path) {
        for _ in 0..ATTEMPTS {
            if is_healthy(self.port).unwrap_or(false) {
                return;
            }
            let ended = self.process.try_wait().unwrap().is_some();
            assert!(
                !ended,
                "{}",
                std::fs::read_to_string(folder.join("server.log")).unwrap()
            );
            sleep(Duration::from_millis(250));
        }
        panic!("the server does not answer");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The server is a process of the one that was started: both are of its group.
        let group = format!("-{}", self.process.id());
        let _ = Command::new("kill")
            .args(["-TERM", "--", &group])
            .stderr(Stdio::null())
            .status();
        let _ = self.process.wait();
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn is_healthy(port: u16) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.write_all(b"GET /health HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer
        .lines()
        .next()
        .is_some_and(|status| status.contains(" 200 ")))
}

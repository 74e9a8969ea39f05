//! Real servers: `mlflow server`, and `mlflow models serve`.

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
        let database = format!("sqlite:///{}/mlflow.db", text(folder));
        let artifacts = folder.join("artifacts");
        let mut command = python.command(&["-m", "mlflow", "server", "--workers", "1"]);
        command
            .args(["--backend-store-uri", &database])
            .args(["--artifacts-destination", text(&artifacts)])
            .args(arguments)
            .env("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false")
            .envs(variables.iter().copied());
        Self::run(command, folder, "server.log")
    }

    /// Starts `mlflow models serve` for a model of the store at `uri`, and waits until it answers.
    pub fn serve_model(python: &Python, folder: &Path, model: &str, uri: &str) -> Self {
        let mut command = python.command(&["-m", "mlflow", "models", "serve", "-m", model]);
        command
            .args(["--env-manager", "local"])
            .env("MLFLOW_TRACKING_URI", uri);
        Self::run(command, folder, "scoring.log")
    }

    fn run(mut command: Command, folder: &Path, log: &str) -> Self {
        let port = free_port();
        let log = folder.join(log);
        let output = File::create(&log).unwrap();
        command
            .args(["--host", "127.0.0.1", "--port", &port.to_string()])
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .process_group(0);
        let process = command.spawn().unwrap();
        let mut server = Self { process, port };
        server.wait(&log);
        server
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn uri(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The address with a user and a password in it.
    pub fn uri_with(&self, username: &str, password: &str) -> String {
        format!("http://{username}:{password}@127.0.0.1:{}", self.port)
    }

    fn wait(&mut self, log: &Path) {
        for _ in 0..ATTEMPTS {
            if is_healthy(self.port).unwrap_or(false) {
                return;
            }
            let ended = self.process.try_wait().unwrap().is_some();
            assert!(!ended, "{}", std::fs::read_to_string(log).unwrap());
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

//! The AWS CLI tells a function's life: no SDK's objects in between, and its own way of reading settings.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use serde_json::Value;

use super::super::report::Report;
use super::super::stage::same;
use super::super::{peers, run};
use super::cloud::{Clouds, REGION};
use crate::commands::Failure;

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

/// Runs the life; one line.
pub(super) fn check(clients: Result<&Path, String>, clouds: &Clouds, report: &mut Report) {
    let began = Instant::now();
    let outcome = clients
        .map_err(Failure::from)
        .and_then(|clients| Story::open(clients, clouds)?.tell());
    report.line("aws", "AWS CLI: a function's life", began, outcome);
}

/// The tool with a profile of its own in a temporary home.
struct Story<'a> {
    clients: &'a Path,
    clouds: &'a Clouds,
    home: tempfile::TempDir,
}

impl<'a> Story<'a> {
    fn open(clients: &'a Path, clouds: &'a Clouds) -> Result<Self, Failure> {
        let home = tempfile::Builder::new().prefix("anyport-cli-").tempdir()?;
        Ok(Self {
            clients,
            clouds,
            home,
        })
    }

    /// Runs one command and reads its JSON.
    fn aws(&self, arguments: &[&str]) -> Result<Value, Failure> {
        let said = run(self.command().args(arguments))?;
        if said.trim().is_empty() {
            return Ok(Value::Null);
        }
        Ok(serde_json::from_str(&said)?)
    }

    /// Runs one command that must be refused with `code`.
    fn refused(&self, code: &str, arguments: &[&str]) -> Result<(), Failure> {
        match run(self.command().args(arguments)) {
            Ok(said) => Err(format!("{arguments:?} was not refused: {said}").into()),
            Err(why) if why.to_string().contains(&format!("({code})")) => Ok(()),
            Err(why) => Err(format!("not refused with {code}: {why}").into()),
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new("python3");
        self.clouds.sign_in(&mut command);
        // The key pair comes from a profile, as most people have it.
        command
            .env_remove("AWS_ACCESS_KEY_ID")
            .env_remove("AWS_SECRET_ACCESS_KEY")
            .env_remove("AWS_REGION")
            .env_remove("AWS_DEFAULT_REGION")
            .env("AWS_PROFILE", "embedded")
            .env("AWS_CONFIG_FILE", self.home.path().join("config"))
            .env(
                "AWS_SHARED_CREDENTIALS_FILE",
                self.home.path().join("credentials"),
            )
            .env("AWS_MAX_ATTEMPTS", "1")
            .env("PYTHONPATH", self.clients)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .current_dir(self.home.path())
            .arg(self.clients.join("bin/aws"));
        command
    }

    fn prepare(&self) -> Result<(), Failure> {
        let mut keys = Command::new("python3");
        self.clouds.sign_in(&mut keys);
        let value = |name: &str| {
            keys.get_envs()
                .find(|(key, _)| *key == name)
                .and_then(|(_, value)| Some(value?.to_string_lossy().into_owned()))
                .unwrap_or_default()
        };
        let credentials = format!(
            "[embedded]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
            value("AWS_ACCESS_KEY_ID"),
            value("AWS_SECRET_ACCESS_KEY")
        );
        std::fs::write(self.home.path().join("credentials"), credentials)?;
        let config = format!("[profile embedded]\nregion = {REGION}\noutput = json\n");
        std::fs::write(self.home.path().join("config"), config)?;
        let program = peers::ours("quickstart")?;
        let archive = self.home.path().join("function.zip");
        anyport_package::Packer::default().file(&program, &archive)?;
        Ok(())
    }

    fn tell(self) -> Result<String, Failure> {
        self.prepare()?;
        let who = self.aws(&["sts", "get-caller-identity"])?;
        same(
            "account",
            who["Account"].as_str(),
            Some(self.clouds.account()),
        )?;
        let role = self.aws(&[
            "iam",
            "create-role",
            "--role-name",
            "cli-exec",
            "--assume-role-policy-document",
            TRUST,
        ])?;
        let role = role["Role"]["Arn"].as_str().ok_or("the role has no ARN")?;
        let rights = [
            "--role-name",
            "cli-exec",
            "--policy-arn",
            "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
        ];
        self.aws(&[&["iam", "attach-role-policy"], &rights[..]].concat())?;
        let create = [
            "lambda",
            "create-function",
            "--function-name",
            "cli-life",
            "--runtime",
            "provided.al2023",
            "--handler",
            "bootstrap",
            "--role",
            role,
            "--zip-file",
            "fileb://function.zip",
            "--environment",
            "Variables={GREETING=good day,UNIT=test}",
            "--tags",
            "made-by=oracle",
        ];
        self.patiently(&create)?;
        self.refused("ResourceConflictException", &create)?;
        let function = ["--function-name", "cli-life"];
        let with = |verb: &'static str, more: &[&'static str]| -> Vec<&'static str> {
            [&["lambda", verb], &function[..], more].concat()
        };
        self.aws(&[
            "lambda",
            "wait",
            "function-active-v2",
            "--function-name",
            "cli-life",
        ])?;
        self.answers("$LATEST", &["lambda", "invoke"])?;
        self.aws(&with(
            "update-function-configuration",
            &["--timeout", "9", "--memory-size", "512"],
        ))?;
        self.aws(&[
            "lambda",
            "wait",
            "function-updated-v2",
            "--function-name",
            "cli-life",
        ])?;
        self.refused(
            "PreconditionFailedException",
            &with(
                "update-function-code",
                &[
                    "--zip-file",
                    "fileb://function.zip",
                    "--revision-id",
                    "stale",
                ],
            ),
        )?;
        let version = self.aws(&with("publish-version", &[]))?;
        same("version", version["Version"].as_str(), Some("1"))?;
        self.aws(&[
            "lambda",
            "wait",
            "published-version-active",
            "--function-name",
            "cli-life",
            "--qualifier",
            "1",
        ])?;
        self.aws(&with(
            "create-alias",
            &["--name", "live", "--function-version", "1"],
        ))?;
        self.answers("1", &["lambda", "invoke", "--qualifier", "live"])?;
        let listed = self.aws(&[
            "lambda",
            "list-versions-by-function",
            "--function-name",
            "cli-life",
            "--page-size",
            "1",
        ])?;
        same(
            "versions",
            listed["Versions"].as_array().map(Vec::len),
            Some(2),
        )?;
        self.aws(&[
            "s3api",
            "create-bucket",
            "--bucket",
            "cli-code",
            "--create-bucket-configuration",
            "LocationConstraint=eu-west-1",
        ])?;
        run(self.command().args([
            "s3",
            "cp",
            "--no-progress",
            "function.zip",
            "s3://cli-code/function.zip",
        ]))?;
        self.aws(&with(
            "update-function-code",
            &["--s3-bucket", "cli-code", "--s3-key", "function.zip"],
        ))?;
        self.aws(&[
            "lambda",
            "wait",
            "function-updated-v2",
            "--function-name",
            "cli-life",
        ])?;
        run(self
            .command()
            .args(["s3", "rb", "--force", "s3://cli-code"]))?;
        let log = self.aws(&[
            "logs",
            "filter-log-events",
            "--log-group-name",
            "/aws/lambda/cli-life",
        ])?;
        if !log.to_string().contains("REPORT RequestId") {
            return Err(format!("no report in the log: {log}").into());
        }
        self.aws(&with("delete-function", &[]))?;
        self.refused("ResourceNotFoundException", &with("get-function", &[]))?;
        self.refused(
            "DeleteConflict",
            &["iam", "delete-role", "--role-name", "cli-exec"],
        )?;
        self.aws(&[&["iam", "detach-role-policy"], &rights[..]].concat())?;
        self.aws(&["iam", "delete-role", "--role-name", "cli-exec"])?;
        Ok(
            "profile, role, create, wait, invoke, update, publish, alias, s3 cp, logs, delete"
                .into(),
        )
    }

    /// A new role is not assumed at once.
    fn patiently(&self, arguments: &[&str]) -> Result<Value, Failure> {
        let began = Instant::now();
        loop {
            match self.aws(arguments) {
                Err(why)
                    if why.to_string().contains("cannot be assumed")
                        && began.elapsed().as_secs() < 30 => {}
                outcome => return outcome,
            }
        }
    }

    fn answers(&self, version: &str, verb: &[&str]) -> Result<(), Failure> {
        let more = [
            "--function-name",
            "cli-life",
            "--payload",
            r#"{"name":"Ada"}"#,
            "answer.json",
        ];
        let said = self.aws(&[verb, &more].concat())?;
        same("status", said["StatusCode"].as_u64(), Some(200))?;
        same("version", said["ExecutedVersion"].as_str(), Some(version))?;
        same("failure", said.get("FunctionError"), None)?;
        let answer = std::fs::read_to_string(self.home.path().join("answer.json"))?;
        if answer.contains("Ada") {
            return Ok(());
        }
        Err(format!("it answered {answer}").into())
    }
}

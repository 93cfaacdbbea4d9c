//! The built-in clients that run Python and Node handlers over the Runtime API.
//!
//! They behave as AWS's own clients (`awslambdaric`, `aws-lambda-ric`) do and need nothing installed
//! but the interpreter.

use std::io;
use std::path::Path;

use crate::instance::private_dir;

const PYTHON: &str = include_str!("python.py");
const NODE: &str = include_str!("node.mjs");

/// Makes an engine's scratch directory and puts the clients into `runtime_dir` inside it.
pub(crate) fn install(scratch: &Path, runtime_dir: &Path) -> io::Result<()> {
    private_dir(scratch)?;
    private_dir(runtime_dir)?;
    std::fs::write(runtime_dir.join("python.py"), PYTHON)?;
    std::fs::write(runtime_dir.join("node.mjs"), NODE)
}

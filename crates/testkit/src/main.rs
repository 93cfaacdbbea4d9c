//! The probe function: see the crate `anyport-testkit`.

fn main() -> std::process::ExitCode {
    anyport_testkit::probe::main()
}

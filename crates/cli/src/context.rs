//! What every command gets.

use anyport::Cancel;

use crate::render::Output;
use crate::settings::Settings;

/// Settings, a way to print, and the handle that Ctrl-C pulls.
pub(crate) struct Context {
    pub settings: Settings,
    pub output: Output,
    pub cancel: Cancel,
}

impl Context {
    pub(crate) fn new(settings: Settings, output: Output) -> Self {
        Self {
            settings,
            output,
            cancel: Cancel::new(),
        }
    }
}

//! The stack's settings from `/proc/sys/net` of the process' network namespace, so that what a script sets by `sysctl` counts.

#[cfg(test)]
mod tests;

use estab_stack::settings_table::{self, Setting, SettingError, from_linux, linux_name};
use estab_tcp::Settings;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Where the kernel shows its own.
pub(crate) const KERNEL: &str = "/proc/sys";

/// The settings as the kernel has them, and estab's defaults for those that it has not. `complaints` takes a line for each
/// value that estab cannot have.
pub(crate) fn read(root: &Path, complaints: &mut BTreeSet<String>) -> Settings {
    let mut settings = Settings::default();
    for setting in settings_table::TABLE {
        let name = linux_name(setting.name);
        let Ok(text) = fs::read_to_string(root.join(name.replace('.', "/"))) else {
            continue;
        };
        let text = text.trim();
        if let Err(error) = take(setting, &mut settings, text) {
            complaints.insert(format!("{name} = {text}: {error}"));
        }
    }
    settings
}

fn take(setting: &Setting, settings: &mut Settings, text: &str) -> Result<(), SettingError> {
    let (_, value) = from_linux(linux_name(setting.name), text)?;
    setting.set(settings, &value)
}

//! Devices by name: `tun:NAME`, `tap:NAME`, `mem:NAME`, with options such as `tun:estab0?offload=off&mtu=1400`.

use crate::Device;
use crate::memory::{MemoryLinkConfig, Overflow, Switch};
#[cfg(target_os = "linux")]
use crate::tuntap::{TunTap, TunTapConfig};
use estab_stack::Medium;
use std::fmt;
use std::io;
use std::str::FromStr;

#[cfg(test)]
mod tests;

/// A kind of device that can be named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scheme {
    /// What stands before the colon.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
    /// What can stand behind `?`: name and values.
    pub options: &'static [(&'static str, &'static str)],
}

/// All kinds of devices that there are on this system.
pub const SCHEMES: &[Scheme] = &[
    #[cfg(target_os = "linux")]
    Scheme {
        name: "tun",
        about: "IP packets to and from the kernel; opened when it is there, made otherwise",
        options: &[OFFLOAD, MTU],
    },
    #[cfg(target_os = "linux")]
    Scheme {
        name: "tap",
        about: "Ethernet frames to and from the kernel; opened when it is there, made otherwise",
        options: &[OFFLOAD, MTU, ("address", "XX:XX:XX:XX:XX:XX")],
    },
    Scheme {
        name: "mem",
        about: "a switch in this process, with a port for each who opens it by the same name",
        options: &[
            OFFLOAD,
            MTU,
            ("medium", "ip|ethernet"),
            ("queue", "PACKETS"),
            ("overflow", "keep|drop"),
        ],
    },
];

const OFFLOAD: (&str, &str) = ("offload", "on|off");
const MTU: (&str, &str) = ("mtu", "BYTES");
/// IPv4 works over no less (RFC 791 section 3.2).
const MTU_MIN: u16 = 68;

/// Why a text names no device; says what would.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceUrlError(String);

impl fmt::Display for DeviceUrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for DeviceUrlError {}

/// A device that can be opened, read from a text.
///
/// ```
/// use estab_device::url::DeviceUrl;
///
/// let url: DeviceUrl = "mem:lan?medium=ethernet".parse()?;
/// let a = url.open()?;
/// let b = url.open()?;
/// assert_ne!(
///     a.device.capabilities().hardware_address,
///     b.device.capabilities().hardware_address,
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceUrl {
    /// `tun:` and `tap:`.
    #[cfg(target_os = "linux")]
    TunTap(TunTapConfig),
    /// `mem:`.
    Memory {
        /// The switch's name in this process.
        name: String,
        /// What the switch is like; those who open it must agree.
        config: MemoryLinkConfig,
    },
}

/// A device that was opened.
pub struct OpenedDevice {
    /// The device.
    pub device: Box<dyn Device>,
    /// Its name.
    pub name: String,
    /// The number, for [`netlink`](crate::netlink), of a link of the kernel's that was made by opening it: it is down
    /// and has no addresses yet. `None` for one that was there, and for one that is not the kernel's.
    pub created_link: Option<u32>,
}

impl fmt::Debug for OpenedDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenedDevice")
            .field("name", &self.name)
            .field("created_link", &self.created_link)
            .finish_non_exhaustive()
    }
}

impl DeviceUrl {
    /// Opens it.
    ///
    /// # Errors
    /// Those of the kind of device; the message says what to do.
    pub fn open(&self) -> io::Result<OpenedDevice> {
        match self {
            #[cfg(target_os = "linux")]
            Self::TunTap(config) => {
                let device = TunTap::open(config)?;
                Ok(OpenedDevice {
                    name: device.name().to_owned(),
                    created_link: device.was_created().then_some(device.index()),
                    device: Box::new(device),
                })
            }
            Self::Memory { name, config } => Ok(OpenedDevice {
                device: Box::new(Switch::named(name, *config)?.port()),
                name: name.clone(),
                created_link: None,
            }),
        }
    }
}

impl FromStr for DeviceUrl {
    type Err = DeviceUrlError;

    fn from_str(text: &str) -> Result<Self, DeviceUrlError> {
        let (path, query) = text.split_once('?').unwrap_or((text, ""));
        let (scheme, name) = path.split_once(':').unwrap_or((path, ""));
        let Some(scheme) = SCHEMES.iter().find(|known| known.name == scheme) else {
            return Err(DeviceUrlError(format!("no device \"{text}\": {}", known())));
        };
        if name.is_empty() {
            let message = format!("\"{text}\" has no name: write {}:NAME", scheme.name);
            return Err(DeviceUrlError(message));
        }
        let options = Query { scheme, query };
        options.check()?;
        match scheme.name {
            #[cfg(target_os = "linux")]
            "tun" | "tap" => options.tun_tap(name).map(Self::TunTap),
            _ => Ok(Self::Memory {
                name: name.to_owned(),
                config: options.memory()?,
            }),
        }
    }
}

fn known() -> String {
    let mut text = "there are".to_owned();
    for scheme in SCHEMES {
        let separator = if text.ends_with("are") { "" } else { ";" };
        text += &format!("{separator} {}:NAME ({})", scheme.name, scheme.about);
    }
    text
}

/// What stands behind `?`.
struct Query<'a> {
    scheme: &'static Scheme,
    query: &'a str,
}

impl<'a> Query<'a> {
    fn items(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let items = self.query.split('&').filter(|item| !item.is_empty());
        items.map(|item| item.split_once('=').unwrap_or((item, "")))
    }

    /// Only options that the scheme has, each once.
    fn check(&self) -> Result<(), DeviceUrlError> {
        for (name, _) in self.items() {
            if !self.scheme.options.iter().any(|(known, _)| *known == name) {
                let known = self.scheme.options.iter();
                let known: Vec<_> = known
                    .map(|(name, values)| format!("{name}={values}"))
                    .collect();
                return Err(DeviceUrlError(format!(
                    "{}: has no option \"{name}\": there are {}",
                    self.scheme.name,
                    known.join(", ")
                )));
            }
            if self.items().filter(|(other, _)| *other == name).count() > 1 {
                return Err(DeviceUrlError(format!("\"{name}\" is given twice")));
            }
        }
        Ok(())
    }

    /// The value of an option, if it is there and `read` understands it.
    fn option<T>(
        &self,
        name: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, DeviceUrlError> {
        let Some((_, value)) = self.items().find(|(own, _)| *own == name) else {
            return Ok(None);
        };
        read(value).map(Some).ok_or_else(|| {
            let options = self.scheme.options.iter();
            let known = options.copied().find(|(known, _)| *known == name);
            let (_, values) = known.unwrap_or_default();
            DeviceUrlError(format!("{name}={value}: write {name}={values}"))
        })
    }

    fn offload(&self) -> Result<Option<bool>, DeviceUrlError> {
        self.option("offload", |value| {
            choose(value, [("on", true), ("off", false)])
        })
    }

    fn mtu(&self) -> Result<Option<u16>, DeviceUrlError> {
        self.option("mtu", |value| {
            value.parse().ok().filter(|mtu| *mtu >= MTU_MIN)
        })
    }

    #[cfg(target_os = "linux")]
    fn tun_tap(&self, name: &str) -> Result<TunTapConfig, DeviceUrlError> {
        let default = match self.scheme.name {
            "tap" => TunTapConfig::tap(name),
            _ => TunTapConfig::tun(name),
        };
        Ok(TunTapConfig {
            offload: self.offload()?.unwrap_or(default.offload),
            mtu: self.mtu()?,
            hardware_address: self.option("address", hardware_address)?,
            ..default
        })
    }

    fn memory(&self) -> Result<MemoryLinkConfig, DeviceUrlError> {
        let default = MemoryLinkConfig::default();
        let media = [("ip", Medium::Ip), ("ethernet", Medium::Ethernet)];
        let overflows = [("keep", Overflow::Keep), ("drop", Overflow::Drop)];
        let medium = self.option("medium", |value| choose(value, media))?;
        let queue_len = self.option("queue", |value| value.parse().ok().filter(|len| *len > 0))?;
        let overflow = self.option("overflow", |value| choose(value, overflows))?;
        Ok(MemoryLinkConfig {
            medium: medium.unwrap_or(default.medium),
            mtu: self.mtu()?.unwrap_or(default.mtu),
            queue_len: queue_len.unwrap_or(default.queue_len),
            offloads: self.offload()?.unwrap_or(default.offloads),
            overflow: overflow.unwrap_or(default.overflow),
        })
    }
}

fn choose<T, const N: usize>(value: &str, choices: [(&str, T); N]) -> Option<T> {
    let mut choices = choices.into_iter();
    choices
        .find(|(name, _)| *name == value)
        .map(|(_, choice)| choice)
}

/// An address of one station, as `02:00:00:00:00:01`.
#[cfg(target_os = "linux")]
fn hardware_address(text: &str) -> Option<[u8; 6]> {
    let byte = |part: &str| {
        u8::from_str_radix(part, 16)
            .ok()
            .filter(|_| part.len() == 2)
    };
    let bytes: Option<Vec<u8>> = text.split(':').map(byte).collect();
    let address: [u8; 6] = bytes?.try_into().ok()?;
    (address[0] & 1 == 0 && address != [0; 6]).then_some(address)
}

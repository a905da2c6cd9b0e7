//! How a service is named on the command line.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// A service and its port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spec {
    pub(crate) kind: Kind,
    pub(crate) port: u16,
}

/// Which service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Echo,
    Discard,
    Chargen,
    Daytime,
    /// The files of a folder.
    Http(PathBuf),
}

impl FromStr for Spec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || {
            "expected echo:PORT, discard:PORT, chargen:PORT, daytime:PORT or http:PORT=DIR"
                .to_owned()
        };
        let (name, rest) = text.split_once(':').ok_or_else(expected)?;
        let (port, folder) = match rest.split_once('=') {
            Some((port, folder)) => (port, Some(folder)),
            None => (rest, None),
        };
        let kind = match (name, folder) {
            ("echo", None) => Kind::Echo,
            ("discard", None) => Kind::Discard,
            ("chargen", None) => Kind::Chargen,
            ("daytime", None) => Kind::Daytime,
            ("http", Some(folder)) if !folder.is_empty() => Kind::Http(folder.into()),
            ("http", _) => return Err("http needs a folder: http:PORT=DIR".to_owned()),
            _ => return Err(expected()),
        };
        let port: u16 = port
            .parse()
            .ok()
            .filter(|&port| port > 0)
            .ok_or_else(|| format!("{port:?} is no port: a number from 1 to 65535 is"))?;
        Ok(Self { kind, port })
    }
}

impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let port = self.port;
        match &self.kind {
            Kind::Echo => write!(f, "echo:{port}"),
            Kind::Discard => write!(f, "discard:{port}"),
            Kind::Chargen => write!(f, "chargen:{port}"),
            Kind::Daytime => write!(f, "daytime:{port}"),
            Kind::Http(folder) => write!(f, "http:{port}={}", folder.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, Spec};

    #[test]
    fn each_service_is_read_and_written_the_same() {
        for text in [
            "echo:7",
            "discard:9",
            "chargen:19",
            "daytime:13",
            "http:80=/a=b",
        ] {
            assert_eq!(text.parse::<Spec>().unwrap().to_string(), text);
        }
        let http: Spec = "http:8080=.".parse().unwrap();
        assert_eq!(
            http,
            Spec {
                kind: Kind::Http(".".into()),
                port: 8080
            }
        );
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, part) in [
            ("echo", "expected echo:PORT"),
            ("finger:79", "expected echo:PORT"),
            ("echo:0", "no port"),
            ("echo:70000", "no port"),
            ("echo:7=.", "expected echo:PORT"),
            ("http:80", "needs a folder"),
            ("http:80=", "needs a folder"),
        ] {
            let error = text.parse::<Spec>().unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}

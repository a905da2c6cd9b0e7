//! The calls that every kind of socket has for its options. They are the same on both layers, so they are written once.

/// What all sockets have. `$socket` gives the inner socket of `self`.
macro_rules! common_options {
    ($socket:ident) => {
        /// The address and port of this end.
        ///
        /// # Errors
        /// The host is down.
        pub fn local_addr(&self) -> std::io::Result<std::net::SocketAddr> {
            self.$socket.local_addr()
        }

        /// The pending error (`SO_ERROR`), and forgets it.
        ///
        /// # Errors
        /// The host is down.
        pub fn take_error(&self) -> std::io::Result<Option<std::io::Error>> {
            self.$socket.take_error()
        }

        /// Sets TTL or hop limit of what is sent (`IP_TTL`, `IPV6_UNICAST_HOPS`).
        ///
        /// # Errors
        /// It is not in 1 to 255.
        pub fn set_ttl(&self, ttl: u32) -> std::io::Result<()> {
            let ttl =
                u8::try_from(ttl).map_err(|_| crate::error::invalid("a TTL is in 1 to 255"))?;
            self.$socket
                .set_option(estab_stack::SocketOption::HopLimit(ttl))
        }

        /// TTL or hop limit of what is sent.
        ///
        /// # Errors
        /// The host is down.
        pub fn ttl(&self) -> std::io::Result<u32> {
            match self.$socket.option(estab_stack::OptionName::HopLimit)? {
                estab_stack::SocketOption::HopLimit(ttl) => Ok(ttl.into()),
                _ => Err(crate::error::invalid("not a hop limit")),
            }
        }

        /// Sets any option of the one list.
        ///
        /// # Errors
        /// The option is not implemented for this kind of socket, or the value is not allowed.
        pub fn set_option(&self, option: estab_stack::SocketOption) -> std::io::Result<()> {
            self.$socket.set_option(option)
        }

        /// Reads any option of the one list.
        ///
        /// # Errors
        /// The option is not implemented for this kind of socket.
        pub fn option(
            &self,
            name: estab_stack::OptionName,
        ) -> std::io::Result<estab_stack::SocketOption> {
            self.$socket.option(name)
        }
    };
}

/// What TCP sockets have beside that, connected or not yet.
macro_rules! tcp_options {
    ($socket:ident) => {
        /// Whether small segments are sent at once (`TCP_NODELAY`).
        ///
        /// # Errors
        /// The host is down.
        pub fn set_nodelay(&self, nodelay: bool) -> std::io::Result<()> {
            self.$socket
                .set_option(estab_stack::SocketOption::NoDelay(nodelay))
        }

        /// Are small segments sent at once?
        ///
        /// # Errors
        /// The host is down.
        pub fn nodelay(&self) -> std::io::Result<bool> {
            let nodelay = self.$socket.option(estab_stack::OptionName::NoDelay)?;
            Ok(nodelay == estab_stack::SocketOption::NoDelay(true))
        }

        /// What closing does with data that is not acknowledged (`SO_LINGER`): `None`: it is sent, and closing waits for
        /// nothing; zero: it is dropped and the connection reset; else `close` waits for it that long. Dropping never
        /// waits, and then a time only bounds how long the connection lives on.
        ///
        /// # Errors
        /// The host is down.
        pub fn set_linger(&self, linger: Option<std::time::Duration>) -> std::io::Result<()> {
            self.$socket.set_linger(linger)
        }

        /// What closing does with data that is not acknowledged.
        ///
        /// # Errors
        /// The host is down.
        pub fn linger(&self) -> std::io::Result<Option<std::time::Duration>> {
            self.$socket.linger()
        }

        /// Whether an idle connection is probed (`SO_KEEPALIVE`). The times are the options
        /// [`KeepaliveIdle`](estab_stack::SocketOption::KeepaliveIdle),
        /// [`KeepaliveInterval`](estab_stack::SocketOption::KeepaliveInterval) and
        /// [`KeepaliveCount`](estab_stack::SocketOption::KeepaliveCount).
        ///
        /// # Errors
        /// The host is down.
        pub fn set_keepalive(&self, keepalive: bool) -> std::io::Result<()> {
            self.$socket
                .set_option(estab_stack::SocketOption::Keepalive(keepalive))
        }

        /// Is an idle connection probed?
        ///
        /// # Errors
        /// The host is down.
        pub fn keepalive(&self) -> std::io::Result<bool> {
            let keepalive = self.$socket.option(estab_stack::OptionName::Keepalive)?;
            Ok(keepalive == estab_stack::SocketOption::Keepalive(true))
        }
    };
}

/// What connections have.
macro_rules! stream_options {
    ($socket:ident) => {
        /// The address and port of the other end.
        ///
        /// # Errors
        /// Of kind [`NotConnected`](std::io::ErrorKind::NotConnected).
        pub fn peer_addr(&self) -> std::io::Result<std::net::SocketAddr> {
            self.$socket.peer_addr()
        }

        /// The state of the connection.
        ///
        /// # Errors
        /// The host is down.
        pub fn state(&self) -> std::io::Result<estab_tcp::State> {
            self.$socket.state()
        }

        /// What the connection tells of itself (`TCP_INFO`).
        ///
        /// # Errors
        /// The host is down.
        pub fn info(&self) -> std::io::Result<estab_tcp::TcpInfo> {
            self.$socket.info()
        }
    };
}

pub(crate) use {common_options, stream_options, tcp_options};

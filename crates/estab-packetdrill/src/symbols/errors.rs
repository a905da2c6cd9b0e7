macro_rules! errors {
    ($($name:ident)*) => {
        const ERRORS: &[(&str, i32)] = &[$((stringify!($name), libc::$name)),*];
    };
}

// Of several names of a number the first is the one that is shown.
errors! {
    EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT ENOTBLK EBUSY EEXIST EXDEV ENODEV ENOTDIR EISDIR
    EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG ENOSPC ESPIPE EROFS EMLINK EPIPE EDOM ERANGE EDEADLK ENAMETOOLONG ENOLCK ENOSYS ENOTEMPTY ELOOP
    ENOMSG EIDRM ENOSTR ENODATA ETIME ENOSR ENONET ENOLINK EPROTO EBADMSG EOVERFLOW ENOTUNIQ EBADFD EILSEQ EUSERS ENOTSOCK EDESTADDRREQ
    EMSGSIZE EPROTOTYPE ENOPROTOOPT EPROTONOSUPPORT ESOCKTNOSUPPORT EOPNOTSUPP EPFNOSUPPORT EAFNOSUPPORT EADDRINUSE EADDRNOTAVAIL ENETDOWN
    ENETUNREACH ENETRESET ECONNABORTED ECONNRESET ENOBUFS EISCONN ENOTCONN ESHUTDOWN ETOOMANYREFS ETIMEDOUT ECONNREFUSED EHOSTDOWN EHOSTUNREACH
    EALREADY EINPROGRESS ESTALE EDQUOT ECANCELED EKEYREJECTED
    EWOULDBLOCK EDEADLOCK ENOTSUP
}

/// The number of an error, such as 11 for `EAGAIN`.
pub fn errno(name: &str) -> Option<i32> {
    let found = ERRORS.iter().find(|(known, _)| *known == name);
    found.map(|(_, number)| *number)
}

/// The name of an error; the number as text when it has none here.
pub fn errno_name(number: i32) -> String {
    let found = ERRORS.iter().find(|(_, known)| *known == number);
    found.map_or_else(|| number.to_string(), |(name, _)| (*name).to_owned())
}

pub(super) fn names() -> impl Iterator<Item = &'static str> {
    ERRORS.iter().map(|(name, _)| *name)
}

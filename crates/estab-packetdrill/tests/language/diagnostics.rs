//! What is said of scripts that are wrong, as it is shown.

use estab_packetdrill::parser::MAX_ERRORS;
use estab_packetdrill::script::Span;
use estab_packetdrill::{Diagnostic, Source, parse, parse_bytes};

fn errors(text: &str) -> String {
    parse("wrong.pkt", text).expect_err(text).to_string()
}

/// After an error the next event is read.
#[test]
fn several_errors() {
    insta::assert_snapshot!(errors(
        r#"// The window is missing, and more.
--ip_version=ipv4
0   socket(..., SOCK_STREAM IPPROTO_TCP) = 3
+0  bind(3, ..., ...) = 0
+0  listen(3, 1 = 0

+.1 < S 0:0(0) <mss 1000,sackOK,wscale 7>
+0  > S. 0:1(0) ack 1 <...>
+.1~+.05 > . 1:1(0)
+0  poll([{fd=4, events=POLLIN,
           revents=POLLIN}],
         1 0) = 1
+0  < [ect2] . 1:1(0) ack 1 win 70000
    read(4, ..., 1000) = "abc
+0  close(4) = 0
"#
    ));
}

#[test]
fn an_empty_script() {
    insta::assert_snapshot!(errors("// nothing\n\n"));
}

#[test]
fn a_comment_without_end() {
    insta::assert_snapshot!(errors("+0 close(3) = 0 /* and\nso on\n"));
}

#[test]
fn a_command_without_end() {
    insta::assert_snapshot!(errors("`sysctl -q net.ipv4.tcp_sack=0\n+0 close(3) = 0\n"));
}

#[test]
fn code_without_end() {
    insta::assert_snapshot!(errors("+0 close(3) = 0\n+0 %{ assert {'a': 1}\n"));
}

#[test]
fn a_string_without_end() {
    insta::assert_snapshot!(errors("+0 write(3, \"abc, 3) = 3\n+0 close(3 = 0\n"));
}

#[test]
fn events_after_the_closing_command() {
    insta::assert_snapshot!(errors("+0 close(3) = 0\n`true`\n+0 close(4) = 0\n"));
}

#[test]
fn wide_characters_and_tabs() {
    insta::assert_snapshot!(errors("+0\twrite(3, \"日本語\",\t3) ? 3 // Größe\n"));
}

#[test]
fn not_utf8() {
    insta::assert_snapshot!(
        parse_bytes("wrong.pkt", b"// fine\n+0 f(\"\xff\xfe\") = 0\n").unwrap_err()
    );
}

#[test]
fn too_deep() {
    let text = format!("+0 f({}", "[".repeat(40));
    insta::assert_snapshot!(errors(&text));
}

/// A script in another language altogether does not fill the screen.
#[test]
fn not_a_script_at_all() {
    let text = "int main(void) { return 0; }\n".repeat(100);
    assert!(parse("main.c", &text).unwrap_err().list().len() <= MAX_ERRORS);
    let text = "+0 close(3 = 0\n".repeat(100);
    assert_eq!(
        parse("many.pkt", &text).unwrap_err().list().len(),
        MAX_ERRORS
    );
}

/// Those who play scripts tell of what they find in the same way.
#[test]
fn of_others() {
    let source = Source::new("run.pkt", "+0 close(3) = 0\n+0 clse(3) = 0\n");
    let error = Diagnostic::new(Span { start: 19, end: 23 }, "unknown call `clse`")
        .label("there is no such call")
        .help("did you mean `close`?");
    assert_eq!(source.position(error.span.start), (2, 4));
    assert_eq!(source.slice(error.span), "clse");
    insta::assert_snapshot!(error.render(&source));
}

/// Whatever the span, there is something to show.
#[test]
fn any_span() {
    let source = Source::new("run.pkt", "é\r\n日本\n");
    for start in 0..15 {
        for end in 0..15 {
            let shown = Diagnostic::new(Span { start, end }, "wrong").render(&source);
            assert!(shown.starts_with("error: wrong\n --> run.pkt:"), "{shown}");
        }
    }
}

//! The state table, as it is printed.

use estab_tcp::{Cause, State};
use estab_trace::states;

#[test]
fn text() {
    insta::assert_snapshot!(states::text());
}

#[test]
fn dot() {
    insta::assert_snapshot!(states::dot());
}

#[test]
fn mermaid() {
    insta::assert_snapshot!(states::mermaid());
}

/// RFC 9293 figure 5, arrow by arrow.
#[test]
fn the_table_has_figure_5() {
    use Cause as C;
    use State as S;
    let arrows = [
        (S::Closed, C::PassiveOpen, S::Listen),
        (S::Closed, C::ActiveOpen, S::SynSent),
        (S::Listen, C::ReceiveSyn, S::SynReceived),
        (S::Listen, C::Close, S::Closed),
        (S::SynSent, C::ReceiveSyn, S::SynReceived),
        (S::SynSent, C::ReceiveSynAck, S::Established),
        (S::SynSent, C::Close, S::Closed),
        (S::SynReceived, C::ReceiveAckOfSyn, S::Established),
        (S::SynReceived, C::Close, S::FinWait1),
        (S::Established, C::Close, S::FinWait1),
        (S::Established, C::ReceiveFin, S::CloseWait),
        (S::FinWait1, C::ReceiveAckOfFin, S::FinWait2),
        (S::FinWait1, C::ReceiveFin, S::Closing),
        (S::FinWait2, C::ReceiveFin, S::TimeWait),
        (S::Closing, C::ReceiveAckOfFin, S::TimeWait),
        (S::CloseWait, C::Close, S::LastAck),
        (S::LastAck, C::ReceiveAckOfFin, S::Closed),
        (S::TimeWait, C::TimeWaitOver, S::Closed),
    ];
    let edges: Vec<_> = states::edges()
        .map(|edge| (edge.from, edge.cause, edge.to))
        .collect();
    for arrow in arrows {
        assert!(edges.contains(&arrow), "{arrow:?}");
    }
}

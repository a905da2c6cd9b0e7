use super::Probability;
use estab_tcp::Rng;

/// Which packets are lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Loss {
    /// None.
    #[default]
    None,
    /// Each with the same probability, whatever happened to others.
    Random(Probability),
    /// By the model of Gilbert and Elliott: the link is good or bad, and each packet may find it changed.
    GilbertElliott {
        /// A good link becomes bad.
        enter: Probability,
        /// A bad link becomes good: 1 over the mean number of packets that it stays bad for.
        leave: Probability,
        /// A packet is lost while the link is bad.
        loss_bad: Probability,
        /// A packet is lost while the link is good.
        loss_good: Probability,
    },
}

impl Loss {
    /// Loss of this probability on the average, in bursts of this mean length in packets. `None` when that cannot be:
    /// bursts shorter than one packet, or so short that losing so many would leave too few packets between them.
    pub fn bursts(mean: Probability, burst_len: f64) -> Option<Self> {
        if burst_len.is_nan() || burst_len < 1.0 || mean == Probability::ONE {
            return None;
        }
        let leave = 1.0 / burst_len;
        let enter = leave * mean.fraction() / (1.0 - mean.fraction());
        Some(Self::GilbertElliott {
            enter: Probability::from_fraction(enter)?,
            leave: Probability::from_fraction(leave)?,
            loss_bad: Probability::ONE,
            loss_good: Probability::ZERO,
        })
    }

    /// Draws for one packet.
    pub(super) fn draw(self, rng: &mut Rng, is_bad: &mut bool) -> bool {
        match self {
            Self::None => false,
            Self::Random(probability) => probability.draw(rng),
            Self::GilbertElliott {
                enter,
                leave,
                loss_bad,
                loss_good,
            } => {
                let change = if *is_bad { leave } else { enter };
                *is_bad ^= change.draw(rng);
                let loss = if *is_bad { loss_bad } else { loss_good };
                loss.draw(rng)
            }
        }
    }
}

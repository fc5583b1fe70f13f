//! The card of the interface `requests`: where a plugin introduces itself.

use sti_bindings::{handles::Card, host::sti::host::requests as wit};
use wasmtime::component::Resource;

use super::State;
use crate::{Moment, Setting, hygiene};

type Said = wasmtime::Result<()>;

const LINE: usize = 200;
/// The longest default of a setting.
const VALUE: usize = 1_000;

impl State {
    fn write_on_card(&mut self, texts: &[&str], write: impl FnOnce(&mut crate::Card)) -> Said {
        self.budget.spend(texts.iter().map(|text| text.as_bytes()))?;
        write(&mut self.card);
        Ok(())
    }
}

impl wit::HostCard for State {
    fn name(&mut self, _: Resource<Card>, name: String) -> Said {
        self.write_on_card(&[&name], |card| card.name = hygiene::line(&name, LINE))
    }

    fn alias(&mut self, _: Resource<Card>, name: String) -> Said {
        self.write_on_card(&[&name], |card| card.aliases.push(hygiene::line(&name, LINE)))
    }

    fn version(&mut self, _: Resource<Card>, version: String) -> Said {
        self.write_on_card(&[&version], |card| card.version = hygiene::line(&version, LINE))
    }

    fn summary(&mut self, _: Resource<Card>, text: String) -> Said {
        self.write_on_card(&[&text], |card| card.summary = hygiene::line(&text, LINE))
    }

    fn homepage(&mut self, _: Resource<Card>, url: String) -> Said {
        self.write_on_card(&[&url], |card| card.homepage = hygiene::line(&url, LINE))
    }

    fn setting(&mut self, _: Resource<Card>, name: String, summary: String, default: Option<String>) -> Said {
        let texts = [name.as_str(), summary.as_str(), default.as_deref().unwrap_or_default()];
        self.write_on_card(&texts, |card| {
            let default = default.as_ref().map(|default| hygiene::line(default, VALUE));
            let setting = Setting { name: hygiene::line(&name, LINE), summary: hygiene::line(&summary, LINE), default };
            card.settings.push(setting);
        })
    }

    fn serves_scheme(&mut self, _: Resource<Card>, scheme: String) -> Said {
        self.write_on_card(&[&scheme], |card| card.schemes.push(hygiene::line(&scheme, LINE)))
    }

    fn serves_suffix(&mut self, _: Resource<Card>, suffix: String) -> Said {
        self.write_on_card(&[&suffix], |card| card.suffixes.push(hygiene::line(&suffix, LINE)))
    }

    fn judges(&mut self, _: Resource<Card>, moment: wit::Moment) -> Said {
        let moment = match moment {
            wit::Moment::Image => Moment::Image,
            wit::Moment::Source => Moment::Source,
            wit::Moment::Plan => Moment::Plan,
            wit::Moment::Product => Moment::Product,
        };
        self.write_on_card(&[], |card| {
            if !card.judges.contains(&moment) {
                card.judges.push(moment);
            }
        })
    }

    fn drop(&mut self, card: Resource<Card>) -> Said {
        self.handles.delete(card)?;
        Ok(())
    }
}

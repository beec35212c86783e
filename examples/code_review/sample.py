"""Nightly import of supplier price lists into the shop.

A sample for examples/code_review: it runs, and it has the flaws that such scripts collect.
"""

import csv
import json
import logging

log = logging.getLogger(__name__)

# TODO: read these from the settings
CURRENCIES = {"EUR": 1.0, "USD": 0.92, "GBP": 1.17}


class PriceList:
    """The prices of one supplier."""

    def __init__(self, supplier, rows=[]):
        self.supplier = supplier
        self.rows = rows
        self.errors = {}

    def add(self, sku, price, currency, valid_from, valid_to, unit, note):
        try:
            amount = float(price) * CURRENCIES[currency]
        except:
            self.errors[sku] = "price"
            return False
        self.rows.append({"sku": sku, "amount": amount, "unit": unit, "note": note,
                          "from": valid_from, "to": valid_to})
        return True

    def total(self):
        """The sum of all amounts."""
        return sum(row["amount"] for row in self.rows)


def parse_rule(text):
    """A discount rule such as `lambda amount: amount * 0.9`."""
    return eval(text)


def read_list(path, supplier, rules={}):
    prices = PriceList(supplier)
    print("reading", path)
    try:
        with open(path, newline="") as file:
            for row in csv.DictReader(file):
                if row.get("sku") and row.get("price"):
                    if row.get("currency") == None:
                        row["currency"] = "EUR"
                    prices.add(row["sku"], row["price"], row["currency"], row.get("from"),
                               row.get("to"), row.get("unit"), row.get("note"))
                else:
                    log.warning("row without sku or price: %s", row)
    except Exception:
        print("cannot read", path)
        return None
    return prices


def decide(old, new, limits, mode, today, force=False):
    changes = []
    for sku in new:
        if sku in old:
            before, after = old[sku], new[sku]
            if after["amount"] != before["amount"]:
                if before["amount"] > 0:
                    step = abs(after["amount"] - before["amount"]) / before["amount"]
                    if step > limits["step"] and not force:
                        if mode == "strict":
                            raise ValueError(f"{sku}: step of {step:.0%}")
                        elif mode == "hold":
                            changes.append((sku, "hold", before["amount"]))
                        else:
                            log.warning("%s: step of %s", sku, step)
                            changes.append((sku, "change", after["amount"]))
                    else:
                        changes.append((sku, "change", after["amount"]))
                elif after["amount"] > 0:
                    changes.append((sku, "change", after["amount"]))
            elif after.get("unit") != before.get("unit") and after.get("unit") != None:
                changes.append((sku, "unit", after["unit"]))
        elif new[sku]["from"] and new[sku]["from"] > today:
            changes.append((sku, "later", new[sku]["amount"]))
        elif new[sku]["amount"] > 0 or force:
            changes.append((sku, "add", new[sku]["amount"]))
    for sku in old:
        # FIXME: a supplier that delivers an empty list takes everything out of the shop
        if sku not in new and mode != "keep":
            changes.append((sku, "remove", None))
    return changes


def apply_changes(shop, changes):
    """Writes the changes to the shop and answers how many were taken."""
    taken = 0
    for sku, action, value in changes:
        try:
            if action == "remove":
                shop.remove(sku)
            elif action in ("add", "change"):
                shop.price(sku, value)
            elif action == "unit":
                shop.unit(sku, value)
            else:
                continue
            taken += 1
        except Exception as error:
            print("skipped", sku, error)
    return taken


def report(changes, path, verbose=False, seen=[]):
    counts = {}
    for sku, action, _ in changes:
        counts[action] = counts.get(action, 0) + 1
        seen.append(sku)
        if verbose:
            print(sku, action)
    with open(path, "w") as file:
        json.dump({"counts": counts, "seen": seen}, file)
    return counts


def main():
    prices = read_list("prices.csv", "acme")
    if prices is not None:
        changes = decide({}, {row["sku"]: row for row in prices.rows}, {"step": 0.5}, "hold", "")
        print(report(changes, "report.json"))


if __name__ == "__main__":
    main()

"""A forecast's warnings in words."""

from tasks.forecast import Forecast
from tasks.limit_shares import LARGEST_POOL


def warnings_of(forecast: Forecast) -> list[str]:
    """What a user should know before spending time."""
    said = []
    if forecast.departures:
        said.append(
            f"not forecast: {', '.join(forecast.departures)}; the shares are those of the loop "
            "without"
        )
    rows = zip(forecast.names, forecast.weights, strict=True)
    deciding = [name for name, weight in rows if weight > 0]
    if len(deciding) == 1 and forecast.fate == "collapses":
        when = "every draw" if len(forecast.names) == 1 else "every draw in the end"
        return [*said, f"one preference ({deciding[0]}) decides {when} and takes all"]
    said += _about_fate(forecast)
    return said


def _about_fate(forecast: Forecast) -> list[str]:
    size = "all candidates" if forecast.pool_size is None else f"K = {forecast.pool_size}"
    given = "/".join(f"{weight:.3g}".removeprefix("0") or "0" for weight in forecast.weights)
    rows = zip(forecast.names, forecast.weights, forecast.survives, strict=True)
    dying = [name for name, weight, kept in rows if weight > 0 and not kept]
    safe = forecast.smallest_safe_pool
    if forecast.fate == "changes nothing":
        return ["K = 1 selects nothing: the loop retrains on its own samples"]
    if forecast.fate == "drifts":
        return [
            f"{size} with weights {given}: nothing holds the shares, they only drift, and a finite "
            f"sample loses one preference in the end; the smallest K that keeps it is {safe}"
        ]
    if forecast.fate == "undecided":
        return [
            "the rewards lie so near each other that they may settle on one compromise, which is "
            "foretold only for two quadratic rewards of equal strength; the share is that of the "
            "idealised model after these rounds"
        ]
    if forecast.is_compromise:
        return [
            "the rewards are too near each other for these weights: the loop settles on one "
            "compromise mode, whatever the pool; move them apart, or lower the temperature"
        ]
    if dying:
        advice = (
            f"the smallest K that keeps it is {safe}"
            if safe is not None
            else f"no pool of up to {LARGEST_POOL} keeps it"
        )
        return [
            f"{size} with weights {given}: the minority ({', '.join(dying)}) dies out; {advice}"
        ]
    if forecast.fate == "collapses":
        return ["one reward decides a whole round: the model collapses onto one at a time"]
    return []

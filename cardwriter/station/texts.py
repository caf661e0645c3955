"""What a person at the station's PC reads, in Chinese and English, by stable code."""

from __future__ import annotations

from typing import Final, Literal

Language = Literal["zh", "en"]

TEXTS: Final[dict[str, dict[Language, str]]] = {
    "service_down": {
        "zh": "{reader}：读卡器服务(pcscd)没有响应，请重新启动它，工位会自动恢复。",
        "en": "{reader}: the reader service (pcscd) does not answer; start it again, the station goes on by itself.",
    },
    "no_card": {"zh": "{reader}：没有卡，请插入卡。", "en": "{reader}: no card; insert one."},
    "card": {"zh": "{reader}：卡已插入。", "en": "{reader}: a card is in."},
    "mute": {
        "zh": "{reader}：卡没有应答，请翻面、擦净触点或换一张卡。",
        "en": "{reader}: the card gives no answer; turn it over, clean it or take another.",
    },
    "busy": {
        "zh": "{reader}：卡正在使用中；如果不是本工位在写卡，请关闭占用读卡器的程序。",
        "en": "{reader}: the card is in use; if this station is not writing, close the program that holds the reader.",
    },
    "lost": {"zh": "{reader}：读卡器已拔出，请重新插好。", "en": "{reader}: the reader is gone; plug it in again."},
    "no_reader": {"zh": "没有找到读卡器，请接好读卡器。", "en": "No card reader found; plug one in."},
    "service_gone": {
        "zh": "读卡器服务(pcscd)没有运行，请启动它。",
        "en": "The reader service (pcscd) is not running; start it.",
    },
    "not_enrolled": {
        "zh": "本工位尚未登记，请用 --code 输入一次性登记码。",
        "en": "This station is not enrolled yet; give its one-time code with --code.",
    },
    "already_running": {
        "zh": "另一个工位程序正在使用这个数据目录。",
        "en": "Another station program is using this data folder.",
    },
    "link_refused": {
        "zh": "服务端拒绝了本工位（{reason}），请联系管理员重新登记。",
        "en": "The service refused this station ({reason}); ask an administrator to enrol it again.",
    },
    "enrol_failed": {"zh": "登记没有成功：{reason}", "en": "Enrolment failed: {reason}"},
    "enrolled": {"zh": "工位已登记：{name}", "en": "Station enrolled: {name}"},
    "connected": {"zh": "已连接服务端，工位名称：{name}", "en": "Connected; the service calls this station {name}"},
    "step": {"zh": "{reader}：第 {index}/{of} 步 {name} → {sw}", "en": "{reader}: step {index} of {of}, {name}: {sw}"},
    "ended": {
        "zh": "{reader}：{purpose} 结束：{outcome} {error}",
        "en": "{reader}: {purpose} ended: {outcome} {error}",
    },
    "journal_empty": {"zh": "没有未确认的记录。", "en": "Nothing waits for the service."},
    "stopped": {"zh": "工位已停止。", "en": "Station stopped."},
}


def say(code: str, language: Language, **values: object) -> str:
    """Return the sentence for a code, with its values filled in."""
    return TEXTS[code][language].format_map(values)


def language_of(locale: str) -> Language:
    """Return the language for a LANG value: Chinese for zh_CN and its kind, English otherwise."""
    return "zh" if locale.lower().startswith("zh") else "en"

"""What a person at the station's PC reads, in Chinese and English, by stable code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

from drivers.errors import DriverError

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
    "no_reader_at": {
        "zh": "“{readers}”处没有读卡器：请接好，或核对这个地址（haoka station readers 列出所有 PC/SC 读卡器）。",
        "en": "No card reader at “{readers}”: plug it in, or see to this address (haoka station readers lists all "
        "PC/SC readers).",
    },
    "reader_address": {
        "zh": "读卡器地址“{readers}”无法打开：请改正 --readers。可用的写法见 docs/readers.zh-CN.md。{detail}",
        "en": "The address of readers “{readers}” opens none: put --readers right; docs/readers.md tells how. {detail}",
    },
    "service_gone": {
        "zh": "读卡器服务(pcscd)没有运行，请启动它。",
        "en": "The reader service (pcscd) is not running; start it.",
    },
    "not_enrolled": {
        "zh": "本工位尚未登记，请用 --code 输入一次性登记码。",
        "en": "This station is not enrolled yet; give its one-time code with --code.",
    },
    "enrol_again": {
        "zh": "本工位登记时写卡脚本还没有签名，分不清脚本的来源；请向管理员要新的登记码，用 --code 重新登记。",
        "en": "This station enrolled before scripts were signed and cannot tell whose they are; ask an administrator "
        "for a new code and enrol again with --code.",
    },
    "already_running": {
        "zh": "另一个工位程序正在使用这个数据目录。",
        "en": "Another station program is using this data folder.",
    },
    "data_unusable": {
        "zh": "数据目录 {folder} 不能用（{reason}）：请检查权限、磁盘空间，以及是否用了工位的用户。",
        "en": "The data folder {folder} cannot be used ({reason}): see to its permissions and the disk's space, and "
        "start as the station's user.",
    },
    "link_credential": {
        "zh": "服务端不认本工位的凭据（{status}）：请让管理员发新登记码，重新登记。",
        "en": "The service does not take this station's credential ({status}): ask an administrator for a new code and "
        "enrol again.",
    },
    "link_revoked": {
        "zh": "服务端已注销本工位：请让管理员发新登记码，重新登记。",
        "en": "The service has revoked this station: ask an administrator for a new code and enrol again.",
    },
    "link_key_unknown": {
        "zh": "服务端用本工位不认识的密钥签名写卡脚本：请让管理员发新登记码，重新登记。",
        "en": "The service signs scripts with a key that this station has not learnt: ask an administrator for a new "
        "code and enrol again.",
    },
    "link_address": {
        "zh": "服务端地址应写作 https://主机名，不是“{service}”：请改正 --service。",
        "en": "The service's address reads https://host, not “{service}”: put --service right.",
    },
    "link_insecure": {
        "zh": "不在本机的服务端只能用 https 访问：请让 --service 以 https 开头。",
        "en": "Beyond this machine the service is reached over https only: let --service begin with https.",
    },
    "enrol_unreachable": {
        "zh": "登记没有成功：连不上服务端 {service}（{reason}）。请检查网线、防火墙和地址，再用同一个登记码重试。",
        "en": "Enrolment failed: the service {service} cannot be reached ({reason}). Check cable, firewall and "
        "address, then give the same code again.",
    },
    "enrol_code_refused": {
        "zh": "登记没有成功：服务端不接受这个登记码（{status}），它可能输错、用过或已过期。请核对，或向管理员要新的。",
        "en": "Enrolment failed: the service does not take this code ({status}); it is mistyped, used or too old. "
        "Check it, or ask an administrator for a new one.",
    },
    "enrol_no_answer": {
        "zh": "登记没有成功：{service} 应答 {status}，与登记码无关。请检查地址和代理，稍后用同一个登记码重试。",
        "en": "Enrolment failed: {service} answered {status}, which says nothing of the code. Check the address and "
        "proxies, then give the same code again.",
    },
    "enrol_not_ours": {
        "zh": "登记没有成功：{service} 的应答不像是本系统的服务端。请检查地址和代理，再用同一个登记码重试。",
        "en": "Enrolment failed: {service} does not answer as our service does. Check the address and proxies, then "
        "give the same code again.",
    },
    "enrol_no_place": {
        "zh": "登记没有成功：数据目录 {folder} 存不进文件（{reason}）。请把它交给工位的用户，再用同一个登记码重试。",
        "en": "Enrolment failed: the folder {folder} takes no file ({reason}). Make it this user's own, then give the "
        "same code again.",
    },
    "enrolled": {"zh": "工位已登记：{name}", "en": "Station enrolled: {name}"},
    "connected": {"zh": "已连接服务端，工位名称：{name}", "en": "Connected; the service calls this station {name}"},
    "step": {"zh": "{reader}：第 {index}/{of} 步 {name} → {sw}", "en": "{reader}: step {index} of {of}, {name}: {sw}"},
    "ended": {
        "zh": "{reader}：{purpose}结束：{outcome} {error}",
        "en": "{reader}: {purpose} ended: {outcome} {error}",
    },
    "journal_empty": {"zh": "没有未确认的记录。", "en": "Nothing waits for the service."},
    "journal_missing": {
        "zh": "{folder} 里没有运行过工位：请用 --data 指定工位的数据目录。",
        "en": "No station has run in {folder}: name its data folder with --data.",
    },
    "held_by": {"zh": "可能占用它的程序：{holder}", "en": "likely held by: {holder}"},
    "selftest_ok": {"zh": "[正常]", "en": "[ok]  "},
    "selftest_skipped": {"zh": "[未测]", "en": "[skip]"},
    "selftest_failed": {"zh": "[异常]", "en": "[FAIL]"},
    "selftest_take_out": {"zh": "请从 {reader} 中取出卡。", "en": "Take the card out of {reader} now."},
    "selftest_reader_ok": {"zh": "读卡器 {reader} 已连接。", "en": "Reader {reader} is connected."},
    "selftest_reader_none": {
        "zh": "没有找到读卡器：请插好 USB 线，换一个接口再试。",
        "en": "No card reader found: check its USB plug, try another port.",
    },
    "selftest_reader_service": {
        "zh": "读卡器服务没有运行：请启动 pcscd（Windows：“智能卡”服务）。",
        "en": "The reader service is not running: start pcscd (on Windows the Smart Card service).",
    },
    "selftest_card_ok": {"zh": "{reader}：卡有应答，ATR {atr}。", "en": "{reader}: the card answers, ATR {atr}."},
    "selftest_card_none": {
        "zh": "{reader}：没有卡；请插入任意一张 SIM 卡后重新自检。",
        "en": "{reader}: no card; put any SIM in and run this again.",
    },
    "selftest_card_station_runs": {
        "zh": "{reader}：工位程序正在运行，为不妨碍写卡没有测试卡；请先停止它再自检。",
        "en": "{reader}: the station is running, so the card was left alone; stop it and run this again.",
    },
    "selftest_card_failed": {
        "zh": "{reader}：卡不能用：{reason}。仍不行则换一张卡、换一个读卡器。{detail}",
        "en": "{reader}: the card cannot be used: {reason}; if that does not help, try another card and another "
        "reader. {detail}",
    },
    "selftest_apdus_ok": {
        "zh": "{reader}：{count} 条命令，中位数 {median} 毫秒，最慢 {slowest} 毫秒。",
        "en": "{reader}: {count} commands, median {median} ms, slowest {slowest} ms.",
    },
    "selftest_apdus_refused": {
        "zh": "{reader}：{count} 条命令中 {refused} 条被拒绝（中位数 {median}，最慢 {slowest} 毫秒）；请换卡再试。",
        "en": "{reader}: the card refused {refused} of {count} commands (median {median} ms, slowest {slowest} ms); "
        "try another card.",
    },
    "selftest_resets_ok": {
        "zh": "{reader}：{count} 次复位，应答一致。",
        "en": "{reader}: {count} resets, the same answer each time.",
    },
    "selftest_resets_differ": {
        "zh": "{reader}：{count} 次复位的应答不一致，接触不良；请擦净卡和读卡器触点。",
        "en": "{reader}: {count} resets gave different answers, a bad contact; clean the card and the reader.",
    },
    "selftest_removal_ok": {
        "zh": "{reader}：{seconds} 秒后发现卡已取出。",
        "en": "{reader}: the card's removal showed after {seconds} s.",
    },
    "selftest_removal_unseen": {
        "zh": "{reader}：没有发现卡被取出；如果确已取出，请更换读卡器。",
        "en": "{reader}: no removal was seen; if the card is out, replace the reader.",
    },
    "selftest_disk_ok": {
        "zh": "数据目录 {folder} 可写（{milliseconds} 毫秒）。",
        "en": "The data folder {folder} takes writes ({milliseconds} ms).",
    },
    "selftest_disk_failed": {
        "zh": "数据目录 {folder} 不可写（{reason}）：请检查权限和磁盘空间。",
        "en": "The data folder {folder} takes no writes ({reason}): see to its permissions and the disk's space.",
    },
    "selftest_service_ok": {
        "zh": "服务端 {service} 可达（{milliseconds} 毫秒）。",
        "en": "The service {service} answers ({milliseconds} ms).",
    },
    "selftest_service_unknown": {
        "zh": "本工位尚未登记，没有测试服务端；请用 haoka station enrol 登记。",
        "en": "This station is not enrolled, so no service was tried; enrol it with haoka station enrol.",
    },
    "selftest_service_unreachable": {
        "zh": "连不上服务端 {service}（{reason}）：请检查网线、防火墙和地址。",
        "en": "The service {service} cannot be reached ({reason}): check cable, firewall and address.",
    },
    "selftest_service_other": {
        "zh": "{service} 应答 {status}，不像是本系统的服务端：请检查地址和代理。",
        "en": "{service} answered {status}, not as our service does: check the address and proxies.",
    },
    "selftest_credential_ok": {
        "zh": "服务端认得本工位：{name}（{station}）。",
        "en": "The service knows this station: {name} ({station}).",
    },
    "selftest_credential_refused": {
        "zh": "服务端不认本工位（{status}）：请让管理员发新登记码，重新登记。",
        "en": "The service does not take this station ({status}): ask an administrator for a new code and enrol again.",
    },
    "selftest_credential_unreadable": {
        "zh": "数据目录 {folder} 中的工位凭据读不出来：请重新登记（haoka station enrol）。",
        "en": "The station's credential in {folder} cannot be read: enrol the station again (haoka station enrol).",
    },
    "selftest_credential_outdated": {
        "zh": "本工位登记时写卡脚本还没有签名：请让管理员发新登记码，重新登记（haoka station enrol）。",
        "en": "This station enrolled before scripts were signed: ask an administrator for a new code and enrol it "
        "again (haoka station enrol).",
    },
    "selftest_credential_untried": {
        "zh": "没能验证工位凭据（{reason}）：请稍后重试，仍不行则检查防火墙是否放行 WebSocket。",
        "en": "The credential could not be tried ({reason}): try again, then see whether a firewall stops WebSockets.",
    },
    "selftest_clock_ok": {
        "zh": "本机时钟与服务端相差 {seconds} 秒。",
        "en": "This PC's clock is {seconds} s off the service's.",
    },
    "selftest_clock_wrong": {
        "zh": "本机时钟与服务端相差 {seconds} 秒，写卡会被拒绝：请打开自动校时。",
        "en": "This PC's clock is {seconds} s off the service's, too much to write cards: let it be synchronised.",
    },
    "selftest_clock_untold": {"zh": "服务端没有告知时间。", "en": "The service did not tell its time."},
    "bundle_written": {
        "zh": "诊断包已写入 {path}，其中没有密钥和用户数据，可以发给支持人员。",
        "en": "Written to {path}; it holds no key and no subscriber's data, send it to whoever helps you.",
    },
    "bundle_failed": {
        "zh": "诊断包写不进 {path}（{reason}）：请用 --out 换一个位置。",
        "en": "Cannot write to {path} ({reason}): choose another place with --out.",
    },
    "stopped": {"zh": "工位已停止。", "en": "Station stopped."},
}


JOURNAL: Final[dict[Language, tuple[str, ...]]] = {
    "zh": ("开始时间", "任务", "脚本", "用途", "读卡器", "步骤", "状态字", "结果", "错误代码", "卡已改动"),
    "en": ("started", "job", "script", "purpose", "reader", "step", "sw", "outcome", "error", "card changed"),
}
"""The journal's columns."""

WORDS: Final[dict[str, dict[Language, str]]] = {
    "identify": {"zh": "识别", "en": "identify"},
    "write": {"zh": "写卡", "en": "write"},
    "verify": {"zh": "验证", "en": "verify"},
    "completed": {"zh": "完成", "en": "completed"},
    "stopped": {"zh": "卡拒绝后停止", "en": "stopped"},
    "lost": {"zh": "中断", "en": "lost"},
    "refused": {"zh": "工位拒绝", "en": "refused"},
    "cancelled": {"zh": "已取消", "en": "cancelled"},
    "running": {"zh": "进行中", "en": "running"},
    "yes": {"zh": "是", "en": "yes"},
    "no": {"zh": "否", "en": "no"},
}
"""What a script is for (`Purpose`), how it ended (`Outcome`) and the journal's own words; programs get the codes."""


def say(code: str, language: Language, **values: object) -> str:
    """Return the sentence for a code, with its values filled in: a script's purpose and outcome as words."""
    coded = {name: str(values[name]) for name in ("purpose", "outcome") if name in values}
    words = {name: WORDS[value][language] for name, value in coded.items() if value in WORDS}
    return TEXTS[code][language].format_map(values | words)


def language_of(locale: str) -> Language:
    """Return the language for a LANG value or a Windows locale: Chinese for zh_CN and its kind, English otherwise."""
    return "zh" if locale.lower().startswith(("zh", "chinese")) else "en"


DRIVER: Final[dict[str, str]] = {
    "service_down": "读卡器服务没有响应，请重新启动它",
    "no_reader": "没有这个读卡器，请插好",
    "reader_lost": "读卡器被拔出，请插好后重新读卡",
    "no_card": "读卡器里没有卡，请插入",
    "card_removed": "卡被取出，请重新插入并重新读卡",
    "card_reset": "另一个程序复位了卡，请重新读卡",
    "mute_card": "卡没有应答，请翻面、擦净触点或换一张",
    "bad_atr": "卡的复位应答损坏或不支持 T=0，请擦净触点重新插入，或换一张卡",
    "echo_differs": "串口没有送回所发的字节，请检查连线和速率，并确认它是 Phoenix 读卡器",
    "card_unresponsive": "卡中途不再应答，请取出；最后一条命令可能已执行",
    "answer_lost": "卡的应答丢失，请重新读卡看它是否已执行",
    "sharing_violation": "另一个程序占用了读卡器，请关闭它",
    "protocol": "卡与读卡器协议不合，请换一个读卡器",
    "reader_failure": "读卡器出错，请拔下重插",
    "modem_refuses": "通信模块不把这条命令转给卡，请换一个读卡器",
    "reset_unavailable": "这个设备不能复位卡，请换一个读卡器",
    "stacker_empty": "卡槽已空，请补卡",
    "card_inside": "发卡机里还有一张卡，请先发出或收入废卡箱",
    "bin_full": "废卡箱已满，请清空",
    "card_jam": "发卡机卡住，请打开机器取出卡",
    "malformed_apdu": "这不是 ISO 7816-4 的短命令，请联系管理员",
    "forbidden_command": "这条命令从不发给卡，请联系管理员",
    "unknown_scheme": "没有这种读卡器的驱动，请检查读卡器的 URL",
    "driver_error": "读卡器驱动出错，请重试",
}
"""What a driver's error means and what to do next, by code; the English text is the error's own."""


def explain(code: str, language: Language) -> str:
    """Return what a driver's error means and what to do next, by its code."""
    meanings = {kind.code: kind.meaning for kind in _kinds(DriverError)}
    english = meanings.get(code, DriverError.meaning)
    return DRIVER.get(code, english) if language == "zh" else english


def _kinds(kind: type[DriverError]) -> Iterator[type[DriverError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _kinds(below)

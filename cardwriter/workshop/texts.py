"""What a person at the workbench reads, in Chinese and English, by stable code."""

from __future__ import annotations

from typing import Final

from cardwriter.station.texts import Language

TEXTS: Final[dict[str, dict[Language, str]]] = {
    "several_cards": {
        "zh": "有多个读卡器插着卡（{readers}），请用 --reader pcsc:名称 指定一个。",
        "en": "More than one reader holds a card ({readers}); name one with --reader pcsc:PART-OF-NAME.",
    },
    "failed": {"zh": "{reader}：{reason}。{detail}", "en": "{reader}: {reason}. {detail}"},
    "unreadable": {
        "zh": "读不出卡号，无法识别这张卡（{reason}）：请擦净触点重新插入，或换一张卡。",
        "en": "The card's number cannot be read, so nobody knows which card this is ({reason}): clean it, put it back, "
        "or take another.",
    },
    "atr": {"zh": "复位应答 ATR", "en": "answer to reset"},
    "iccid": {"zh": "卡号 ICCID", "en": "card number (ICCID)"},
    "serial": {"zh": "空卡序列号", "en": "chip serial"},
    "usim": {"zh": "有 USIM 应用", "en": "has a USIM"},
    "blank": {"zh": "空白卡", "en": "is blank"},
    "imsi": {"zh": "IMSI（USIM）", "en": "IMSI (USIM)"},
    "imsi_blank": {"zh": "空白", "en": "blank"},
    "imsi_malformed": {"zh": "格式不对", "en": "malformed"},
    "imsi_gsm": {"zh": "IMSI（2G 目录）", "en": "IMSI (2G directory)"},
    "mnc_length": {"zh": "网络号位数", "en": "digits of the network code"},
    "pin1_enabled": {"zh": "PIN1 已启用", "en": "PIN1 is asked for"},
    "adm1_tries": {"zh": "ADM1 剩余次数", "en": "tries of ADM1 left"},
    "families": {"zh": "符合的卡族", "en": "card families it looks like"},
    "sizes": {"zh": "文件大小（字节）", "en": "sizes of files (bytes)"},
    "not_a_dump": {
        "zh": "这不是可用的基准文件（{reason}）：请用 haoka card dump --json 从一张正确的卡导出。",
        "en": "No dump to compare with ({reason}): make one from a card that is right with haoka card dump --json.",
    },
    "ignore_unknown": {
        "zh": "两张卡上都没有 --ignore 所指的 {names}：请写文件名（如 EF.SPN），或写 card。",
        "en": "Neither card has what --ignore names ({names}): name a file, such as EF.SPN, or card.",
    },
    "dump_file": {"zh": "文件", "en": "file"},
    "dump_name": {"zh": "名称", "en": "name"},
    "dump_shape": {"zh": "结构", "en": "shape"},
    "dump_rights": {"zh": "权限", "en": "rights"},
    "dump_content": {"zh": "内容", "en": "content"},
    "hidden_key": {"zh": "（密钥，不读取）", "en": "(keys, not read)"},
    "hidden_personal": {"zh": "（用户数据，加 --full 显示）", "en": "(the subscriber's own, --full shows it)"},
    "hidden_protected": {"zh": "（受保护，{sw}）", "en": "(protected, {sw})"},
    "diff_none": {"zh": "没有差异。", "en": "No difference."},
    "diff_atr": {"zh": "复位应答不同", "en": "answer to reset differs"},
    "diff_applications": {"zh": "应用不同", "en": "applications differ"},
    "diff_pins": {"zh": "PIN 启用状态不同", "en": "PINs that are asked for differ"},
    "diff_existence": {"zh": "文件有无不同", "en": "is on one card only"},
    "diff_kind": {"zh": "结构不同", "en": "structure differs"},
    "diff_size": {"zh": "大小不同", "en": "size differs"},
    "diff_record_length": {"zh": "记录长度不同", "en": "record length differs"},
    "diff_records": {"zh": "记录数不同", "en": "number of records differs"},
    "diff_sfi": {"zh": "短文件标识不同", "en": "short id differs"},
    "diff_life_cycle": {"zh": "文件状态不同", "en": "life cycle differs"},
    "diff_rights": {"zh": "权限不同", "en": "rights differ"},
    "diff_readable": {"zh": "可读性不同", "en": "can be read on one card only"},
    "diff_content": {"zh": "内容不同", "en": "content differs"},
    "test_unreadable": {
        "zh": "测试数据文件 {path} 读不了（{reason}）：请检查文件名和权限。",
        "en": "The file {path} cannot be read ({reason}): check its name and rights.",
    },
    "test_readable": {
        "zh": "文件 {path} 含有密钥，但其他用户也能读：请先执行 chmod 600 {path}。",
        "en": "The file {path} holds keys and others may read it: chmod 600 {path} first.",
    },
    "test_no_json": {"zh": "{path} 不是 JSON 文件：请按文档里的样例改写。", "en": "{path} is no JSON: see the sample."},
    "test_fields": {
        "zh": "测试数据文件要有且只有这些字段：{fields}。",
        "en": "The file must have these fields and no other: {fields}.",
    },
    "test_malformed": {
        "zh": "测试数据文件的字段 {field} 格式不对：请按文档里的样例改写。",
        "en": "The field {field} of the file is malformed: see the sample.",
    },
    "test_imsi": {
        "zh": "这里只写测试网（{network}）的 IMSI：请改用以 {network} 开头的 IMSI；用户的卡请在营业厅写。",
        "en": "Only IMSIs of the test network {network} are written here: take one that begins so. Subscribers' cards "
        "are written at the hall desk.",
    },
    "test_iccid": {
        "zh": "卡号以 {issuer} 开头的卡可能在库存里，这里不写：请换一张测试卡，或在营业厅写这张卡。",
        "en": "A card whose number begins with {issuer} may be in the stock and is not written here: take a test card, "
        "or write this one at the hall desk.",
    },
    "workbench_busy": {
        "zh": "{folder} 里已有一个写卡命令在运行：请等它结束。",
        "en": "Another such command is at work in {folder}: wait for it to end.",
    },
    "write_cut": {
        "zh": "上次（{started_at}，{reader}）写卡在 {step} 处中断：请把那张卡再写一次，或作废。",
        "en": "The writing of {started_at} in {reader} was cut at {step}: write that card again, or throw it away.",
    },
    "write_step": {"zh": "  {index}/{of} {name} {sw}", "en": "  {index} of {of}: {name} {sw}"},
    "write_unfit": {
        "zh": "测试数据写不到这张卡上（{reason}）：请核对文件。",
        "en": "The identity does not fit this card ({reason}): check the file.",
    },
    "write_refused": {"zh": "没有写这张卡：{failure}（{detail}）", "en": "Nothing was written: {failure} ({detail})"},
    "write_verified": {
        "zh": "写卡成功，已读回并通过鉴权。SQN {sqn}。",
        "en": "Written, read back, and its keys are proven. SQN {sqn}.",
    },
    "write_nothing_written": {
        "zh": "卡上没有写入身份：{failure}（{detail}）",
        "en": "No identity is on the card: {failure} ({detail})",
    },
    "write_damaged": {"zh": "卡已写坏：{failure}（{detail}）", "en": "The card is spoiled: {failure} ({detail})"},
    "write_unknown": {
        "zh": "不知道写到了哪里：{failure}（{detail}）。请重新插入同一张卡，再执行一次本命令。",
        "en": "How far it got is not known: {failure} ({detail}). Put the same card in and run this again.",
    },
    "failure_not_blank": {
        "zh": "卡里已有别的身份；请换一张测试卡。",
        "en": "it holds another identity; take another test card",
    },
    "failure_wrong_kind": {"zh": "不是测试卡；请换一张。", "en": "it is no test card; take another"},
    "failure_data_not_available": {"zh": "缺少数据；请核对文件。", "en": "something is missing; check the file"},
    "failure_write_error": {"zh": "卡拒绝写入；请换一张。", "en": "the card refused it; take another"},
    "failure_verify_mismatch": {"zh": "读回的内容不符；请换一张。", "en": "it reads back otherwise; take another"},
    "failure_reader_lost": {"zh": "卡或读卡器中途失去联系；请检查连接。", "en": "card or reader was lost; check both"},
    "failure_wrong_key": {
        "zh": "鉴权不符，卡内密钥与文件不同；请核对文件。",
        "en": "its keys are not those of the file; check the file",
    },
    "failure_adm_refused": {
        "zh": "ADM1 不对或次数不满，不再尝试；请核对卡商给的 ADM1。",
        "en": "ADM1 is wrong or tries are spent, none is made; check the ADM1 that came with the card",
    },
    "failure_pin_enabled": {"zh": "PIN1 已启用；请先关闭 PIN1。", "en": "PIN1 is asked for; switch it off first"},
    "failure_not_proven": {"zh": "尚未鉴权；请再执行一次。", "en": "not proven yet; run this again"},
    "failure_another_card": {
        "zh": "插入的不是文件里写的那张卡；请核对 ICCID。",
        "en": "it is not the card that the file names; check the ICCID",
    },
    "failure_refused": {"zh": "命令被拒绝；请检查本机时钟。", "en": "the commands were refused; check this PC's clock"},
    "failure_cancelled": {"zh": "已取消。", "en": "cancelled"},
    "yes": {"zh": "是", "en": "yes"},
    "no": {"zh": "否", "en": "no"},
    "untold": {"zh": "卡未说明", "en": "the card does not say"},
    "none": {"zh": "无", "en": "none"},
}


def say(code: str, language: Language, **values: object) -> str:
    """Return the sentence or word for a code, with its values filled in."""
    return TEXTS[code][language].format_map(values)


def value(found: object, language: Language) -> str:
    """Return a fact in words."""
    match found:
        case None:
            return say("untold", language)
        case "blank" | "malformed":
            return say(f"imsi_{found}", language)
        case bool():
            return say("yes" if found else "no", language)
        case dict():
            return ", ".join(f"{name} {size}" for name, size in found.items()) or say("none", language)
        case list():
            return ", ".join(map(str, found)) or say("none", language)
        case _:
            return str(found)

"""Why an object was kept aside or refused, in words that the sender can act on."""

from typing import Final, NamedTuple

from accord.archive.model import Reason, Result, StoreOutcome


class Words(NamedTuple):
    """One reason in Chinese, for screens, and in English, for engineers and DIMSE comments."""

    chinese: str
    english: str


WORDS: Final[dict[Reason, Words]] = {
    Reason.LOSSY_SYNTAX: Words(
        "传输语法为有损压缩，已另存，不作为互认结果；请以无损格式重新上传。",
        "lossy transfer syntax: kept aside, never recognised; send it in a lossless syntax",
    ),
    Reason.LOSSY_MARKED: Words(
        "影像标注为曾有损压缩 (0028,2110)=01，已另存，不作为互认结果；请上传原始影像。",
        "marked as lossy, (0028,2110) is 01: kept aside, never recognised; send the original",
    ),
    Reason.SAME_UID_OTHER_BYTES: Words(
        "相同 SOP Instance UID 已存有内容不同的影像，本次内容已另存；请核对后以新 UID 上传。",
        "another object with this SOP Instance UID is stored: kept aside; send it under a new UID",
    ),
    Reason.STUDY_OF_ANOTHER_INSTITUTION: Words(
        "该检查由其他机构首先上传，本次内容已另存；请核对 Study Instance UID。",
        "the study belongs to another institution: kept aside; check the Study Instance UID",
    ),
    Reason.NO_FILE_META: Words(
        "文件缺少 DICOM 文件头，传输语法只能推测，已另存；请导出为标准 DICOM 文件后重新上传。",
        "no file meta, its syntax can only be guessed: kept aside; export it as a DICOM file",
    ),
    Reason.NO_TRANSFER_SYNTAX: Words(
        "文件头未写明传输语法，已另存；请导出为标准 DICOM 文件后重新上传。",
        "the file meta names no transfer syntax: kept aside; export it as a DICOM file",
    ),
    Reason.TRUNCATED: Words(
        "文件不完整（数据在中途结束），已另存；请重新上传完整文件。",
        "the data ends before its elements do: kept aside; send the whole object",
    ),
    Reason.PIXELS_INCOMPLETE: Words(
        "像素数据少于声明的行列数，已另存；请检查设备导出并重新上传。",
        "fewer pixels than rows and columns declare: kept aside; check the export and send again",
    ),
    Reason.NO_STUDY_UID: Words(
        "缺少 Study 或 Series Instance UID，无法归入检查，已另存；请补全后重新上传。",
        "no Study or Series Instance UID: kept aside; complete it and send again",
    ),
    Reason.NOT_DICOM: Words(
        "不是 DICOM 文件，未接收。",
        "not a DICOM file",
    ),
    Reason.UNREADABLE: Words(
        "DICOM 结构损坏，无法读取，未接收；请检查设备导出。",
        "the DICOM structure is broken and cannot be read; check the export",
    ),
    Reason.UNKNOWN_SYNTAX: Words(
        "传输语法为私有或未知，未接收；请以标准无损语法上传。",
        "private or unknown transfer syntax; send it in a standard lossless syntax",
    ),
    Reason.NO_SOP_UID: Words(
        "缺少 SOP Class 或 SOP Instance UID，未接收；请补全后重新上传。",
        "no SOP Class UID or SOP Instance UID; complete it and send again",
    ),
    Reason.BAD_UID: Words(
        "UID 格式无效（只能为数字和点，最长 64 位），未接收。",
        "a UID is not made of digits and dots, or is longer than 64 characters",
    ),
    Reason.UID_MISMATCH: Words(
        "传输命令中的 UID 与数据集不一致，未接收。",
        "the UIDs of the command and of the data set differ",
    ),
    Reason.TOO_DEEP: Words(
        "序列嵌套层数超过限制，未接收。",
        "sequences are nested deeper than this site reads",
    ),
    Reason.TOO_LARGE: Words(
        "对象或其文件头超过大小限制，未接收。",
        "the object or its header is larger than this site reads",
    ),
    Reason.INFLATES_TOO_FAR: Words(
        "压缩数据解压后超过限制，未接收。",
        "the deflated data set grows past 4 times its declared pixels",
    ),
    Reason.MEDIA_DIRECTORY: Words(
        "DICOMDIR 是介质目录，不是影像，已忽略。",
        "a DICOMDIR is a directory of media, not an object: ignored",
    ),
    Reason.COMPRESSED_FILE: Words(
        "压缩包不接收，已忽略；请解压后上传。",
        "an archive file is not opened: ignored; unpack it first",
    ),
    Reason.WRONG_STUDY: Words(
        "对象不属于地址中的检查，未接收。",
        "the object does not belong to the study in the address",
    ),
}


def sentence(reason: Reason) -> str:
    """Return the reason as screens show it."""
    return WORDS[reason].chinese


# What a refusal is on the wire (PS3.4 B.2.3, PS3.18 I.2.2): out of resources, does not match,
# cannot understand. An object kept aside is durable, so its sender must not send it again: warning.
KEPT_ASIDE_STATUS: Final = 0xB000
CANNOT_UNDERSTAND: Final = 0xC000
STATUS: Final[dict[Reason, int]] = {
    Reason.TOO_LARGE: 0xA700,
    Reason.TOO_DEEP: 0xA700,
    Reason.INFLATES_TOO_FAR: 0xA700,
    Reason.UID_MISMATCH: 0xA900,
    Reason.BAD_UID: 0xA900,
    Reason.WRONG_STUDY: 0xA900,
    Reason.UNKNOWN_SYNTAX: 0xC122,
}


def status(outcome: StoreOutcome) -> int:
    """Return the DIMSE status, which is also the reason code of STOW-RS."""
    if outcome.result in (Result.STORED, Result.ALREADY_STORED):
        return 0x0000
    if outcome.result is Result.KEPT_ASIDE:
        return KEPT_ASIDE_STATUS
    return STATUS.get(outcome.code, CANNOT_UNDERSTAND) if outcome.code else CANNOT_UNDERSTAND

"""FFmpeg's models on generated clips, each result looked at by ffprobe; and what hostile files come
to. CONDUITFS_VIDEO_MB says how large the large video is."""

import errno
import json
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import zlib

import pytest
from harness.mount import BUILD
from harness.wait import until

LARGE = int(os.environ.get("CONDUITFS_VIDEO_MB", "100"))

pytestmark = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg isn't installed")


def make(path, *arguments):
    subprocess.run(["ffmpeg", "-v", "error", "-y", *map(str, arguments), str(path)], check=True, timeout=120)
    return path


@pytest.fixture(scope="session")
def clips(tmp_path_factory):
    directory = tmp_path_factory.mktemp("clips")
    picture = ("-f", "lavfi", "-i", "testsrc=d=3:s=320x240:r=10")
    sound = ("-f", "lavfi", "-i", "sine=d=3:f=440")
    return {
        "video": make(directory / "video.mp4", *picture, *sound, "-c:v", "mpeg4"),
        "silent": make(directory / "silent.mp4", *picture, "-c:v", "mpeg4"),
        "audio": make(directory / "audio.wav", *sound),
        "image": make(directory / "image.png", *picture, "-frames:v", "1"),
    }


def probed(path):
    """What ffprobe says: the format's name, its seconds, and a codec a kind."""
    out = subprocess.run(
        ["ffprobe", "-v", "error", "-show_format", "-show_streams", "-of", "json", str(path)],
        check=True,
        capture_output=True,
        timeout=60,
    ).stdout
    found = json.loads(out)
    streams = {stream["codec_type"]: stream for stream in found["streams"]}
    return found["format"]["format_name"], float(found["format"].get("duration", 0)), streams


@pytest.fixture
def tree(mount):
    return mount({"providers": {"ffmpeg": {}, "openrouter": "off"}}).wait_ready("ffmpeg")


def turn_of(tree, model, path, **settings):
    model = tree.model(model, "ffmpeg")
    for name, value in settings.items():
        model.set(name, str(value))
    shutil.copyfile(path, model.path / "input")
    return model


def result(tree, model, path, **settings):
    model = turn_of(tree, model, path, **settings)
    output = tree.home / "result"
    output.write_bytes(model.read())
    return probed(output)


@pytest.mark.parametrize("model, clip", [("extract-audio", "video"), ("convert-audio", "audio")])
@pytest.mark.parametrize(
    "format, named, codec",
    [("mp3", "mp3", "mp3"), ("wav", "wav", "pcm_s16le"), ("flac", "flac", "flac"), ("ogg", "ogg", "vorbis"),
     ("opus", "ogg", "opus"), ("m4a", "mov,mp4,m4a,3gp,3g2,mj2", "aac")],
)
def test_sound_comes_in_each_form(tree, clips, model, clip, format, named, codec):
    name, duration, streams = result(tree, model, clips[clip], format=format)
    assert (name, streams["audio"]["codec_name"], set(streams)) == (named, codec, {"audio"})
    assert duration == pytest.approx(3, abs=0.2)


def test_a_piece_of_the_sound_is_taken(tree, clips):
    _, duration, streams = result(tree, "convert-audio", clips["audio"], start=1, duration="0.5", bitrate="64k")
    assert duration == pytest.approx(0.5, abs=0.1)
    assert streams["audio"]["bit_rate"] == "64000"


@pytest.mark.parametrize(
    "format, codec", [("mp4", "h264"), ("webm", "vp9"), ("mkv", "h264"), ("mov", "h264"), ("gif", "gif")]
)
def test_video_comes_in_each_form_smaller_and_shorter(tree, clips, format, codec):
    name, duration, streams = result(
        tree, "convert-video", clips["video"], format=format, width=64, fps=5, duration=1
    )
    assert streams["video"]["codec_name"] == codec and (streams["video"]["width"], streams["video"]["height"]) == (64, 48)
    assert ("audio" in streams) == (format != "gif")
    assert duration == pytest.approx(1, abs=0.3)


@pytest.mark.parametrize("format, codec", [("png", "png"), ("jpg", "mjpeg"), ("webp", "webp"), ("gif", "gif"),
                                           ("bmp", "bmp"), ("tiff", "tiff")])
def test_an_image_comes_in_each_form(tree, clips, format, codec):
    _, _, streams = result(tree, "convert-image", clips["image"], format=format, scale="0.5")
    assert streams["video"]["codec_name"] == codec
    assert (streams["video"]["width"], streams["video"]["height"]) == (160, 120)


def test_frames_come_in_order_the_first_is_the_output(tree, clips):
    model = turn_of(tree, "extract-frames", clips["video"], fps=2)
    first = model.read()
    artifacts = model.path / "turns/last/artifacts"
    assert sorted(os.listdir(artifacts)) == [f"{n:06}.png" for n in range(2, 7)]
    assert first.startswith(b"\x89PNG") and (model.path / "turns/last/output.png").read_bytes() == first
    assert len({first, *((artifacts / name).read_bytes() for name in os.listdir(artifacts))}) == 6


@pytest.mark.parametrize("fps, frames, finish", [(100, 256, "length"), (85, 255, "stop")])
def test_frames_end_at_256_and_finish_says_so(tree, clips, fps, frames, finish):
    model = turn_of(tree, "extract-frames", clips["video"], fps=fps, scale="0.1")
    assert model.read().startswith(b"\x89PNG")
    artifacts = sorted(os.listdir(model.path / "turns/last/artifacts"))
    assert artifacts == [f"{n:06}.png" for n in range(2, frames + 1)]
    facts = model.facts()
    assert (facts["state"], facts["finish"]) == ("done", finish)


def test_frames_behind_the_cap_come_with_start(tree, clips):
    turn = turn_of(tree, "extract-frames", clips["video"], fps=100, scale="0.1", start="2.56")
    turn.read()
    assert len(os.listdir(turn.path / "turns/last/artifacts")) + 1 == pytest.approx(44, abs=2)
    assert turn.facts()["finish"] == "stop"


def test_a_thumbnail_is_one_small_picture(tree, clips):
    _, _, streams = result(tree, "thumbnail", clips["video"], width=100)
    assert (streams["video"]["codec_name"], streams["video"]["width"]) == ("mjpeg", 100)


def failed(model, code):
    with pytest.raises(OSError) as caught:
        model.read()
    words = model.text("error")
    assert caught.value.errno == code, words
    assert "/proc/" not in words
    return words


def test_a_video_without_sound_says_so(tree, clips):
    assert "there is no sound" in failed(turn_of(tree, "extract-audio", clips["silent"]), errno.EINVAL)


@pytest.mark.parametrize("model, clip, named", [("extract-audio", "audio", "convert-audio takes it and makes sound"),
                                                ("convert-audio", "video", "extract-audio makes sound of it"),
                                                ("convert-image", "video", "extract-frames makes an image of it")])
def test_what_a_model_does_not_take_is_refused_naming_who_does_or_converts_it(tree, clips, model, clip, named):
    words = failed(turn_of(tree, model, clips[clip]), errno.EINVAL)
    assert f"; providers/ffmpeg/models/{named}" in words, words


def test_a_route_whose_models_do_not_take_it_says_so_and_who_does(tree, clips):
    route = tree.path / "capabilities/video-to-audio"
    shutil.copyfile(clips["audio"], route / "input")
    with pytest.raises(OSError) as caught:
        (route / "output").read_bytes()
    words = (route / "error").read_text()
    assert caught.value.errno == errno.EINVAL, words
    assert "sound is among what goes in" in words and "; providers/ffmpeg/models/convert-audio takes it" in words


def test_who_makes_text_of_it_is_no_help_where_no_text_is_taken(tree, clips):
    words = failed(turn_of(tree, "convert-video", clips["image"]), errno.EINVAL)
    assert words.rstrip("\n").endswith("lists image"), repr(words)


def test_of_two_files_none_is_passed_over_in_silence(tree, clips):
    model = tree.model("extract-audio", "ffmpeg")
    shutil.copyfile(clips["silent"], model.path / "attach/silent.mp4")
    words = failed(turn_of(tree, "extract-audio", clips["video"]), errno.EINVAL)
    assert "one file is taken at a time, and attach/silent.mp4 is another" in words


def test_a_video_for_a_model_of_texts_is_refused_with_what_helps(tree, clips):
    model = tree.model("cow", "cowsay")
    shutil.copyfile(clips["video"], model.path / "input")
    assert "ffmpeg takes its pictures and its sound out" in failed(model, errno.EINVAL)


@pytest.mark.parametrize("name, options", [("clip.ts", []), ("clip.m2ts", ["-f", "mpegts", "-mpegts_m2ts_mode", "1"]),
                                           ("clip.nut", [])])
def test_video_that_libmagic_has_no_type_for_is_video(tree, clips, tmp_path, name, options):
    clip = make(tmp_path / name, "-i", clips["video"], *options)
    _, duration, _ = result(tree, "extract-audio", clip)
    assert duration == pytest.approx(3, abs=0.3)


@pytest.mark.parametrize("extension", ["caf", "wv", "tta"])
def test_sound_that_libmagic_has_no_type_for_is_sound(tree, clips, tmp_path, extension):
    clip = make(tmp_path / f"clip.{extension}", "-i", clips["audio"])
    _, duration, _ = result(tree, "convert-audio", clip)
    assert duration == pytest.approx(3, abs=0.3)


def test_a_song_whose_cover_is_larger_than_what_is_looked_at_is_sound(tree, clips, tmp_path):
    noise = ("-f", "lavfi", "-i", "nullsrc=s=640x480,geq=random(1)*255:128:128", "-frames:v", "1", "-q:v", "1")
    cover = make(tmp_path / "cover.jpg", *noise)
    assert cover.stat().st_size > 65536
    both = ("-i", clips["audio"], "-i", cover, "-map", "0", "-map", "1", "-c:v", "copy", "-id3v2_version", "3")
    song = make(tmp_path / "song.mp3", *both, "-disposition:v", "attached_pic")
    model = turn_of(tree, "convert-audio", song)
    assert model.read().startswith(b"ID3") and (model.path / "output.mp3").exists()


@pytest.mark.parametrize(
    "model, clip, format",
    [("extract-frames", "video", "png"), ("thumbnail", "video", "webp"), ("convert-audio", "audio", "mp3"),
     ("convert-video", "video", "webm"), ("convert-video", "video", "gif")],
)
def test_a_start_beyond_the_end_says_so(tree, clips, model, clip, format):
    words = failed(turn_of(tree, model, clips[clip], format=format, start=60), errno.EINVAL)
    assert "config/start" in words


@pytest.mark.parametrize("format, codec", [("png", "png"), ("jpg", "mjpeg"), ("webp", "webp")])
def test_frames_are_pictures_of_their_own_in_each_form(tree, clips, format, codec):
    _, _, streams = result(tree, "extract-frames", clips["video"], format=format)
    assert (streams["video"]["codec_name"], streams["video"]["width"]) == (codec, 320)
    artifacts = tree.path / "providers/ffmpeg/models/extract-frames/turns/last/artifacts"
    assert sorted(os.listdir(artifacts)) == [f"00000{n}.{format}" for n in (2, 3)]


def test_a_video_of_a_moment_has_a_first_picture(tree, clips, tmp_path):
    clip = make(tmp_path / "moment.mp4", "-i", clips["video"], "-frames:v", "1", "-c:v", "mpeg4")
    assert turn_of(tree, "extract-frames", clip).read().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "model, clip, scale, size",
    [("convert-image", "odd", "1", (65, 43)), ("convert-image", "odd", "0.0001", (1, 1)),
     ("convert-video", "video", "0.0001", (2, 2)), ("convert-video", "video", "100:-1", (100, 76))],
)
def test_what_is_scaled_is_rounded_to_sizes_that_can_be(tree, clips, tmp_path, model, clip, scale, size):
    odd = make(tmp_path / "odd.png", "-i", clips["image"], "-vf", "scale=65:43")
    _, _, streams = result(tree, model, odd if clip == "odd" else clips[clip], scale=scale)
    assert (streams["video"]["width"], streams["video"]["height"]) == size


@pytest.mark.parametrize(
    "name, value, words",
    [("width", "101", "mp4 takes an even width"), ("scale", "wide", "or width:height"), ("scale", "0", "or width:height"),
     ("bitrate", "0", "128k, 2M"), ("duration", "0", "above 0")],
)
def test_a_setting_that_cannot_be_is_told_with_what_can(tree, clips, name, value, words):
    told = failed(turn_of(tree, "convert-video", clips["video"], **{name: value}), errno.EINVAL)
    assert words in told and f"config/{name}" in told


def test_the_result_of_one_model_is_the_input_of_the_next(tree, clips):
    turn_of(tree, "extract-audio", clips["video"])
    audio = tree.model("convert-audio", "ffmpeg")
    audio.set("format", "flac")
    tree.sh("cp providers/ffmpeg/models/extract-audio/output providers/ffmpeg/models/convert-audio/input", check=True)
    assert audio.read().startswith(b"fLaC")


# ---- large ----


@pytest.mark.bound(300 + LARGE)
def test_a_large_video_to_sound_never_lies_in_memory_and_the_tree_answers(tree, tmp_path):
    """Raw pictures, which are large and quickly made."""
    seconds = max(1, LARGE * 1_000_000 // (640 * 480 * 3 * 25))
    clip = make(tmp_path / "large.avi", "-f", "lavfi", "-i", f"color=d={seconds}:s=640x480:r=25",
                "-f", "lavfi", "-i", f"sine=d={seconds}", "-c:v", "rawvideo", "-pix_fmt", "bgr24")
    assert clip.stat().st_size > 0.9 * LARGE * 1_000_000
    model = turn_of(tree, "extract-audio", clip, format="wav")
    answers = 0
    while model.facts()["state"] in ("queued", "running") or answers == 0:
        assert b"(oo)" in tree.model("cow", "cowsay").ask("moo")
        answers += 1
    assert model.read()[:4] == b"RIFF", model.text("error")
    status = pathlib.Path(f"/proc/{tree.process.pid}/status").read_text()
    peak = int(status.split("VmHWM:")[1].split()[0])
    if not os.environ.get("CONDUITFS_SLOW"):
        assert peak < 32 * 1024, f"{peak} KiB"


def test_progress_is_told_and_cancelling_leaves_nothing(tree, clips, tmp_path):
    clip = make(tmp_path / "long.mp4", "-f", "lavfi", "-i", "testsrc=d=120:s=640x480:r=25", "-c:v", "mpeg4")
    model = turn_of(tree, "convert-video", clip, format="webm")
    until(lambda: (model.facts().get("progress") or "0%") not in ("0%", "-"), 60, "progress is told")
    assert model.facts()["doing"].startswith("convert-video, ")
    (model.path / "ctl").write_text("cancel\n")
    failed(model, errno.ECANCELED)
    state = tree.home / "state"
    until(lambda: not list(state.rglob("work-*")), 10, "its files are gone")


def test_what_is_no_text_may_be_larger_than_a_text(mount, clips):
    tree = mount({"providers": {"ffmpeg": {}, "openrouter": "off"}, "limits": {"prompt": "64K"}}).wait_ready("ffmpeg")
    assert clips["audio"].stat().st_size > 128 * 1024
    _, duration, _ = result(tree, "convert-audio", clips["audio"])
    assert duration == pytest.approx(3, abs=0.2)
    with pytest.raises(OSError) as caught:
        tree.model("cow", "cowsay").write("a" * 128 * 1024)
    assert caught.value.errno == errno.EFBIG


@pytest.mark.parametrize("model, clip, settings", [("convert-image", "image", {"format": "bmp"}),
                                                   ("convert-video", "video", {"scale": "4", "bitrate": "20M"})])
def test_a_result_that_is_too_large_names_the_limit(mount, clips, model, clip, settings):
    config = {"providers": {"ffmpeg": {}, "openrouter": "off"}, "limits": {"media": "150K"}}
    tree = mount(config).wait_ready("ffmpeg")
    assert "limits.media" in failed(turn_of(tree, model, clips[clip], **settings), errno.EFBIG)


# ---- hostile ----


def chunk(kind, data):
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def bomb(width, height):
    """A PNG of so many pixels; there are only a few bytes of them."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 1_000_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(60000, 60000), (30000, 30000)])
def test_a_decompression_bomb_is_contained(tree, tmp_path, size):
    path = tmp_path / "bomb.png"
    path.write_bytes(bomb(*size))
    model = turn_of(tree, "convert-image", path, width=64)
    try:
        assert len(model.read()) < 1_000_000
    except OSError as error:
        assert error.errno in (errno.EINVAL, errno.EIO), model.text("error")
    assert b"(oo)" in tree.model("cow", "cowsay").ask("moo")


def test_a_header_that_claims_4_gb_is_contained(tree, tmp_path, clips):
    path = tmp_path / "claim.wav"
    data = bytearray(clips["audio"].read_bytes())
    at = data.index(b"data")
    struct.pack_into("<I", data, 4, 0xFFFFFFFF)
    struct.pack_into("<I", data, at + 4, 0xFFFFFFF0)
    path.write_bytes(data)
    _, duration, _ = result(tree, "convert-audio", path, format="flac")
    assert duration == pytest.approx(3, abs=0.3)


PLAYLISTS = {
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n@URL@\n#EXT-X-ENDLIST\n",
    "concat": "ffconcat version 1.0\nfile '@URL@'\n",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video @PORT@ RTP/AVP 96\n",
    "subtitles": "1\n00:00:00,000 --> 00:00:01,000\n<img src='@URL@'>\n",
}


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


def unconnected(server):
    with pytest.raises(BlockingIOError):
        server.accept()


@pytest.mark.parametrize("kind", PLAYLISTS)
@pytest.mark.parametrize("url", ["/etc/passwd", "http://127.0.0.1:@PORT@/x.ts"])
def test_a_playlist_is_refused(tree, listener, tmp_path, kind, url):
    path = tmp_path / "video.mp4"
    port = str(listener.getsockname()[1])
    path.write_text(PLAYLISTS[kind].replace("@URL@", url).replace("@PORT@", port))
    words = failed(turn_of(tree, "convert-video", path), errno.EINVAL)
    assert "root:" not in words
    unconnected(listener)


@pytest.mark.parametrize("kind", ["hls", "concat"])
@pytest.mark.parametrize("url", ["file:///etc/passwd", "http://127.0.0.1:@PORT@/x.ts"])
def test_a_playlist_that_ffmpeg_takes_leads_nowhere_from_the_sandbox(listener, tmp_path, kind, url):
    """Without the provider's own list of formats: what holds then is the sandbox."""
    port = str(listener.getsockname()[1])
    path = tmp_path / "playlist"
    path.write_text(PLAYLISTS[kind].replace("@URL@", url).replace("@PORT@", port))
    path.chmod(0o604)
    results = tmp_path / "results"
    results.mkdir()
    results.chmod(0o777)
    limits = ["60", str(4 << 30), str(1 << 30), "1", "landlock"]
    command = ["/usr/bin/ffmpeg", "-nostdin", "-v", "error", "-protocol_whitelist", "file,http,tcp,crypto",
               "-f", kind, "-safe", "0", "-i", "/proc/self/fd/4", "-f", "data", "out"]
    if kind == "hls":
        command = [word for word in command if word not in ("-safe", "0")]
        command[command.index("-i") : command.index("-i")] = ["-allowed_extensions", "ALL"]
    script = f'exec "$@" 3<{results} 4<{path}'
    done = subprocess.run(
        ["bash", "-c", script, "run", str(BUILD / "core/provider/conduitfs-run"), *limits, *command],
        capture_output=True, timeout=60, check=False,
    )
    assert done.returncode != 0
    if kind == "concat":  # hls has rules of its own for what it opens, which come first
        assert b"Permission denied" in done.stderr or b"not permitted" in done.stderr, done.stderr
    assert not any(path.stat().st_size for path in results.iterdir())
    unconnected(listener)


@pytest.mark.parametrize("name", ["-y.wav", "%d.wav", "-i", "concat:a|b.wav", "http:__127.0.0.1_x.wav"])
def test_a_name_is_never_an_option_or_a_pattern(tree, clips, name):
    model = tree.model("convert-audio", "ffmpeg")
    shutil.copyfile(clips["audio"], model.path / "attach" / name)
    model.set("format", "flac")
    model.write("convert it")
    assert model.read().startswith(b"fLaC")

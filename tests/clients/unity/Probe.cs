// Lets our editor scripts import the sheets of a project, in its folder, and prints what they have done, a line each.
// Probe.exe import PICTURE…    as found without a .meta, again, and as a person had it
// Probe.exe run PROGRAM ARGUMENT…    through CommandLine
// Probe.exe plan PROGRAM PROJECT COUNT TYPES SEED    the window's first question to the command line
using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;
using System.Threading;
using AssetGen;
using AssetGen.Editor;
using UnityEditor;
using UnityEngine;
#if UNITY_2021_2_OR_NEWER
using UnityEditor.U2D.Sprites;
#endif

internal static class Probe
{
    private const BindingFlags Hidden = BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static;

    private static int Main(string[] arguments)
    {
        if (arguments[0] == "run")
        {
            return Run(arguments[1], arguments.Skip(2));
        }
        if (arguments[0] == "plan")
        {
            var run = new CommandLine(arguments[1], GenerateWindow.Arguments(arguments[2], arguments[3], arguments[4],
                arguments[5]).Concat(new[] { "--dry-run" }));
            while (!run.Update())
            {
                Thread.Sleep(5);
            }
            Line("plan", run.ExitCode, run.ExitCode == 0 ? JsonUtility.FromJson<GenerateWindow.Plan>(run.Output).needs_yes : run.Messages);
            return 0;
        }
        var pictures = arguments.Skip(1).ToArray();
        foreach (var picture in pictures)
        {
            var importer = new TextureImporter { assetPath = picture, importSettingsMissing = true };
            Import(importer);
            Tell("fresh", importer);
            importer.importSettingsMissing = false;
            Import(importer);
            Tell("again", importer);
            AssetDatabase.Imported[picture] = Sprites(importer).Select(row => (UnityEngine.Object)new Sprite { name = row[0] }).ToArray();
            if (importer.Applied > 0)
            {
                Edit(importer);
                Import(importer);
                Tell("edited", importer);
            }
        }
        for (var times = 0; times < 2; times++) // the second time the catalogue is there
        {
            typeof(SheetPostprocessor).GetMethod("OnPostprocessAllAssets", Hidden)
                .Invoke(null, new object[] { pictures, new string[0], new string[0], new string[0] });
            if (EditorApplication.delayCall != null)
            {
                EditorApplication.delayCall();
                EditorApplication.delayCall = null;
            }
        }
        foreach (var path in AssetDatabase.Assets.Keys)
        {
            Line("asset", path);
        }
        var catalogue = SpriteCatalogue.Load();
        foreach (var group in catalogue == null ? new SpriteCatalogue.Group[0] : catalogue.Groups)
        {
            foreach (var entry in catalogue.OfType(group.type))
            {
                Line("entry", group.type, group.label, entry.name, entry.sprite.name, entry.score,
                    catalogue.Find(entry.name) == entry.sprite, catalogue.OfType(group.type).Any(e => e.sprite == catalogue.Random(group.type)));
            }
        }
        var shown = new GeneratedSprite { Type = "no such type" };
        Line("unknown", shown.Type, catalogue != null && catalogue.Random("no such type") == null);
        return 0;
    }

    private static void Import(TextureImporter importer)
    {
        var postprocessor = new SheetPostprocessor { assetPath = importer.assetPath, assetImporter = importer };
        typeof(SheetPostprocessor).GetMethod("OnPreprocessTexture", Hidden).Invoke(postprocessor, null);
    }

    private static void Tell(string when, TextureImporter importer)
    {
        Line("settings", when, importer.assetPath, importer.textureType, importer.spriteImportMode, importer.filterMode,
            importer.mipmapEnabled, importer.textureCompression, importer.npotScale, importer.spritePixelsPerUnit,
            importer.maxTextureSize, importer.Applied);
        foreach (var row in Sprites(importer))
        {
            Line("sprite", when, importer.assetPath, string.Join("\t", row));
        }
    }

    private static void Line(params object[] values)
    {
        Console.WriteLine(string.Join("\t", values.Select(value => Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture)).ToArray()));
    }

    // a person's: another filter, a pivot, a sprite of their own, one of ours renamed away; and a slot that was freed
#if UNITY_2021_2_OR_NEWER
    private static string[][] Sprites(TextureImporter importer)
    {
        var ids = importer.Pairs.ToDictionary(pair => pair.name, pair => pair.GetFileGUID().ToString());
        return importer.Rects.Select(rect => Row(rect.name, rect.rect, rect.pivot, rect.spriteID.ToString() + "\t" + ids[rect.name])).ToArray();
    }

    private static void Edit(TextureImporter importer)
    {
        importer.filterMode = FilterMode.Trilinear;
        importer.maxTextureSize = 32;
        var first = importer.Rects[0];
        first.pivot = new Vector2(0.25f, 0);
        first.rect = new Rect(1, 1, 1, 1);
        var id = new GUID(new string('e', 32));
        foreach (var name in new[] { "face", first.name.Substring(0, first.name.Length - 6) + "999999" })
        {
            importer.Rects = importer.Rects.Concat(new[] { new SpriteRect { name = name, spriteID = id } }).ToArray();
            importer.Pairs.Add(new SpriteNameFileIdPair(name, id));
        }
        importer.Pairs[0] = new SpriteNameFileIdPair(first.name, new GUID(new string('f', 32)));
    }
#else
    private static string[][] Sprites(TextureImporter importer)
    {
        return importer.spritesheet.Select(sprite => Row(sprite.name, sprite.rect, sprite.pivot, "\t")).ToArray();
    }

    private static void Edit(TextureImporter importer)
    {
        importer.filterMode = FilterMode.Trilinear;
        importer.maxTextureSize = 32;
        var sprites = importer.spritesheet.ToList();
        var first = sprites[0];
        first.pivot = new Vector2(0.25f, 0);
        first.rect = new Rect(1, 1, 1, 1);
        sprites[0] = first;
        foreach (var name in new[] { "face", first.name.Substring(0, first.name.Length - 6) + "999999" })
        {
            sprites.Add(new SpriteMetaData { name = name });
        }
        importer.spritesheet = sprites.ToArray();
    }
#endif

    private static string[] Row(string name, Rect rect, Vector2 pivot, string ids)
    {
        var numbers = new[] { rect.x, rect.y, rect.width, rect.height, pivot.x, pivot.y };
        return new[] { name, string.Join(" ", numbers.Select(n => n.ToString("R", System.Globalization.CultureInfo.InvariantCulture)).ToArray()), ids };
    }

    private static int Run(string program, IEnumerable<string> arguments)
    {
        CommandLine run;
        try
        {
            run = new CommandLine(program, arguments);
        }
        catch (InvalidOperationException error)
        {
            Line("refused", error.Message);
            return 3;
        }
        var last = "";
        while (!run.Update())
        {
            if (run.Step != last)
            {
                Line("progress", run.Step, run.Part);
                last = run.Step;
            }
            if (run.Step == "stop me")
            {
                run.Stop();
            }
            Thread.Sleep(5);
        }
        run.Stop(); // of one that has ended: nothing
        Line("ended", run.ExitCode, run.Step, run.Part);
        Line("messages", run.Messages.Replace("\n", "|"));
        Line("output", run.Output.Trim().Replace("\n", "|"));
        return 0;
    }
}

using System;
using System.Collections.Generic;
using System.IO;
using UnityEditor;
using UnityEngine;

namespace AssetGen.Editor
{
    /// <summary>Assets > AssetGen > Generate…: runs `assetgen batch` for this project, in the background.</summary>
    internal sealed class GenerateWindow : EditorWindow
    {
        private const string CommandKey = "AssetGen.Command";

        [SerializeField] private string count = "";
        [SerializeField] private string types = "";
        [SerializeField] private string seed = "";
        private string status = "Empty fields are left to assetgen.toml.";
        private MessageType kind = MessageType.Info;
        private CommandLine run;
        private Action<CommandLine> next;

        /// <summary>What `assetgen batch --dry-run --json` says of needed agreement.</summary>
        [Serializable]
        internal sealed class Plan
        {
            public string needs_yes = "";
        }

        [MenuItem("Assets/AssetGen/Generate…")]
        private static void Open()
        {
            GetWindow<GenerateWindow>("AssetGen").Show();
        }

        private void OnGUI()
        {
            using (new EditorGUI.DisabledScope(run != null))
            {
                count = EditorGUILayout.TextField(new GUIContent("Count", "Sprites of all types together"), count);
                types = EditorGUILayout.TextField(new GUIContent("Types", "dragon,potion or dragon=40,potion=10"), types);
                seed = EditorGUILayout.TextField("Seed", seed);
                var command = EditorPrefs.GetString(CommandKey, "assetgen");
                var changed = EditorGUILayout.DelayedTextField(new GUIContent("Command", "The program, or its path"), command);
                if (changed != command)
                {
                    EditorPrefs.SetString(CommandKey, changed);
                }
            }
            if (run == null)
            {
                if (GUILayout.Button("Generate"))
                {
                    Launch(new[] { "--dry-run" }, Ask);
                }
                EditorGUILayout.HelpBox(status, kind);
                return;
            }
            EditorGUI.ProgressBar(EditorGUILayout.GetControlRect(), run.Part, run.Step);
            if (GUILayout.Button("Stop"))
            {
                End("Stopped. Nothing was changed.", MessageType.Info);
            }
        }

        /// <summary>The arguments of a batch for this project; empty fields leave the choice to assetgen.toml.</summary>
        internal static List<string> Arguments(string project, string count, string types, string seed)
        {
            var arguments = new List<string> { "batch", "--json", "--project", project };
            foreach (var option in new[] { new[] { "--count", count }, new[] { "--types", types }, new[] { "--seed", seed } })
            {
                if (option[1].Trim().Length > 0)
                {
                    arguments.Add(option[0]);
                    arguments.Add(option[1].Trim());
                }
            }
            return arguments;
        }

        private void Launch(IEnumerable<string> more, Action<CommandLine> then)
        {
            var arguments = Arguments(Path.GetDirectoryName(Application.dataPath), count, types, seed);
            arguments.AddRange(more);
            try
            {
                run = new CommandLine(EditorPrefs.GetString(CommandKey, "assetgen"), arguments);
            }
            catch (InvalidOperationException error)
            {
                End(error.Message, MessageType.Error);
                return;
            }
            next = then;
            EditorApplication.update += Watch;
        }

        private void Watch()
        {
            if (!run.Update())
            {
                Repaint();
                return;
            }
            var ended = run;
            var then = next;
            EditorApplication.update -= Watch;
            run = null;
            if (ended.ExitCode != 0)
            {
                End(ended.Messages, MessageType.Error);
                return;
            }
            then(ended);
        }

        private void Ask(CommandLine dryRun)
        {
            var question = JsonUtility.FromJson<Plan>(dryRun.Output).needs_yes;
            if (string.IsNullOrEmpty(question))
            {
                Launch(new string[0], Finish);
            }
            else if (EditorUtility.DisplayDialog("Replace published sprites?", question, "Replace", "Cancel"))
            {
                Launch(new[] { "--yes" }, Finish);
            }
            else
            {
                End("Nothing was changed.", MessageType.Info);
            }
        }

        private void Finish(CommandLine batch)
        {
            AssetDatabase.Refresh();
            End(batch.Messages.Length > 0 ? batch.Messages : "Done.", MessageType.Info);
        }

        private void End(string told, MessageType how)
        {
            if (run != null)
            {
                EditorApplication.update -= Watch;
                run.Stop();
                run = null;
            }
            status = told;
            kind = how;
            Repaint();
        }

        private void OnDisable()
        {
            if (run != null) // the window is closed, or scripts are compiled anew: nobody would hear of the end
            {
                End("Stopped. Nothing was changed.", MessageType.Info);
            }
        }
    }
}
